# Build a component as an rclcpp component too: a library that component containers load.
#
#   find_package(lockstep_cpp REQUIRED)
#   find_package(lockstep_rclcpp REQUIRED)
#   lockstep_add_component(vector_normalizer
#     CLASS VectorNormalizer
#     SOURCES src/vector_normalizer.cpp
#     DEPENDENCIES geometry_msgs)
#   lockstep_rclcpp_add_component(vector_normalizer)
#
# The library is the target `vector_normalizer_rclcpp`, installed to lib unless the component has
# SKIP_INSTALL; containers find it as the plugin `<package>::VectorNormalizerNode`.

set(_lockstep_rclcpp_cmake "${CMAKE_CURRENT_LIST_DIR}")

# A macro, because rclcpp_components collects what is registered in variables of the caller.
macro(lockstep_rclcpp_add_component target)
  _lockstep_rclcpp_add_library(${target} _lockstep_rclcpp_plugin)
  rclcpp_components_register_nodes(${target}_rclcpp ${_lockstep_rclcpp_plugin})
endmacro()

function(_lockstep_rclcpp_add_library target plugin_variable)
  if(NOT TARGET ${target}_component)
    message(FATAL_ERROR
      "lockstep_rclcpp_add_component(${target}): lockstep_add_component(${target} …) has to come "
      "first")
  endif()
  get_target_property(class ${target} LOCKSTEP_CLASS)
  get_target_property(skip_install ${target} LOCKSTEP_SKIP_INSTALL)
  string(REGEX REPLACE "^.*::" "" LOCKSTEP_CLASS "${class}")
  string(MAKE_C_IDENTIFIER "${PROJECT_NAME}" LOCKSTEP_NAMESPACE)
  set(plugin "${LOCKSTEP_NAMESPACE}::${LOCKSTEP_CLASS}Node")

  get_property(plugins DIRECTORY PROPERTY LOCKSTEP_RCLCPP_PLUGINS)
  if(plugin IN_LIST plugins)
    message(FATAL_ERROR
      "lockstep_rclcpp_add_component(${target}): this package has a plugin ${plugin} already; "
      "rename the class")
  endif()
  set_property(DIRECTORY APPEND PROPERTY LOCKSTEP_RCLCPP_PLUGINS "${plugin}")

  # rclcpp has to know the message types when it is compiled, and the component itself knows them
  # best.
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/lockstep_rclcpp/${target}")
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(
    OUTPUT "${folder}/node.cpp"
    COMMAND ${target} --contract > "${folder}/contract.json"
    COMMAND ${CMAKE_COMMAND}
      -DCONTRACT=${folder}/contract.json
      -DOUTPUT=${folder}/node.cpp
      -DLOCKSTEP_CLASS=${LOCKSTEP_CLASS}
      -DLOCKSTEP_NAMESPACE=${LOCKSTEP_NAMESPACE}
      -P "${_lockstep_rclcpp_cmake}/generate_node.cmake"
    DEPENDS ${target}
      "${_lockstep_rclcpp_cmake}/generate_node.cmake" "${_lockstep_rclcpp_cmake}/node.cpp.in"
    COMMENT "Generating the rclcpp node of ${class}"
    VERBATIM)

  set(library ${target}_rclcpp)
  add_library(${library} SHARED "${folder}/node.cpp")
  # The node refers to nothing in the component's library: loading it is what registers the class.
  target_link_libraries(${library} PRIVATE
    -Wl,--push-state,--no-as-needed ${target}_component -Wl,--pop-state
    lockstep_rclcpp::lockstep_rclcpp
    rclcpp_components::component)
  if(NOT skip_install)
    set_target_properties(${library} PROPERTIES INSTALL_RPATH "$ORIGIN")
    install(TARGETS ${library} LIBRARY DESTINATION lib)
  endif()
  set(${plugin_variable} "${plugin}" PARENT_SCOPE)
endfunction()
