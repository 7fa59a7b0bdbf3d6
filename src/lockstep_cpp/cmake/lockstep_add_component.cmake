# Build a component as a shared library and as an executable that runs it as a ROS 2 node.
#
#   find_package(lockstep_cpp REQUIRED)
#   lockstep_add_component(vector_normalizer
#     CLASS VectorNormalizer
#     SOURCES src/vector_normalizer.cpp
#     DEPENDENCIES geometry_msgs)
#
# CLASS         the class given to LOCKSTEP_COMPONENT in one of the sources
# SOURCES       the component's sources
# DEPENDENCIES  packages with the message types and libraries that the sources use
# SKIP_INSTALL  build only, as for a test
#
# Digests of the package's sources, as they were before the build, are put into the library, so that
# a verification sees whether what runs was built of what is on disk.
#
# The executable is the target `vector_normalizer`, installed to lib/<package>; the library is the
# target `vector_normalizer_component`, installed to lib. A package needs nothing else: where its
# CMakeLists.txt does not call ament_package() itself, that is done at its end.

find_package(ament_cmake REQUIRED)

set(_lockstep_main "${CMAKE_CURRENT_LIST_DIR}/main.cpp.in")
set(_lockstep_digest_sources "${CMAKE_CURRENT_LIST_DIR}/digest_sources.cmake")

macro(_lockstep_package)
  if(NOT _${PROJECT_NAME}_AMENT_PACKAGE)
    ament_package()
  endif()
endmacro()

function(lockstep_add_component target)
  cmake_parse_arguments(ARG "SKIP_INSTALL" "CLASS" "SOURCES;DEPENDENCIES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "lockstep_add_component(${target}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  foreach(required CLASS SOURCES)
    if(NOT ARG_${required})
      message(FATAL_ERROR "lockstep_add_component(${target}): ${required} is missing")
    endif()
  endforeach()

  set(library ${target}_component)
  set(digests "${CMAKE_CURRENT_BINARY_DIR}/lockstep/${target}/sources.cpp")
  string(MAKE_C_IDENTIFIER "lockstep_sources_of_${PROJECT_NAME}_${target}" digests_name)
  # In every build, and before anything is compiled: a source that changes meanwhile differs from
  # its digest.
  add_custom_target(${target}_sources
    COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${PROJECT_SOURCE_DIR}" "-DOUTPUT=${digests}"
      "-DNAME=${digests_name}" -P "${_lockstep_digest_sources}"
    BYPRODUCTS "${digests}"
    VERBATIM)
  add_library(${library} SHARED ${ARG_SOURCES} "${digests}")
  add_dependencies(${library} ${target}_sources)
  # No fused multiply-add: a component computes the same in every language.
  target_compile_options(${library} PRIVATE -ffp-contract=off)
  # Speed is why it is in C++: a build without a type is not one without optimisation.
  target_compile_options(${library} PRIVATE $<$<STREQUAL:$<CONFIG>,>:-O2>)
  target_link_libraries(${library} PUBLIC lockstep_cpp::lockstep_cpp)
  foreach(package ${ARG_DEPENDENCIES})
    find_package(${package} REQUIRED)
    if(TARGET ${package}::${package}__rosidl_typesupport_cpp)
      # Messages: without their Python side, which would load an interpreter.
      target_link_libraries(${library} PUBLIC
        ${package}::${package}__rosidl_generator_cpp ${package}::${package}__rosidl_typesupport_cpp)
    elseif(${package}_TARGETS)
      target_link_libraries(${library} PUBLIC ${${package}_TARGETS})
    else()
      target_include_directories(${library} PUBLIC ${${package}_INCLUDE_DIRS})
      target_link_libraries(${library} PUBLIC ${${package}_LIBRARIES})
    endif()
  endforeach()

  set(LOCKSTEP_CLASS "${ARG_CLASS}")
  set(main "${CMAKE_CURRENT_BINARY_DIR}/lockstep/${target}/main.cpp")
  configure_file("${_lockstep_main}" "${main}" @ONLY)
  add_executable(${target} "${main}")
  set_target_properties(${target} PROPERTIES
    LOCKSTEP_CLASS "${ARG_CLASS}" LOCKSTEP_SKIP_INSTALL "${ARG_SKIP_INSTALL}")
  # The executable refers to nothing in the component's library: loading it is what registers the
  # class.
  target_link_libraries(${target} PRIVATE
    -Wl,--push-state,--no-as-needed ${library} -Wl,--pop-state lockstep_cpp::lockstep_cpp_host)

  if(NOT ARG_SKIP_INSTALL)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/..")
    install(TARGETS ${library} LIBRARY DESTINATION lib)
    install(TARGETS ${target} RUNTIME DESTINATION lib/${PROJECT_NAME})
    get_property(is_packaged GLOBAL PROPERTY _lockstep_package_${PROJECT_NAME})
    if(NOT is_packaged)
      set_property(GLOBAL PROPERTY _lockstep_package_${PROJECT_NAME} TRUE)
      cmake_language(DEFER DIRECTORY "${PROJECT_SOURCE_DIR}" CALL _lockstep_package)
    endif()
  endif()
endfunction()
