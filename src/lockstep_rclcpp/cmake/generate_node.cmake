# Write the rclcpp node of a component from its CONTRACT, with all message types of its ports, to
# OUTPUT.

file(READ "${CONTRACT}" contract)
set(types)
foreach(direction inputs outputs)
  string(JSON count LENGTH "${contract}" ${direction})
  foreach(index RANGE ${count})
    if(index LESS count)
      string(JSON type GET "${contract}" ${direction} ${index} type)
      if(type MATCHES "^([^/]+/srv/.*)_(Request|Response)$")
        message(FATAL_ERROR "${LOCKSTEP_CLASS} offers a service (${CMAKE_MATCH_1}), which a "
          "component container cannot do for it; run it as the node of its own executable")
      endif()
      list(APPEND types "${type}")
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES types)

set(LOCKSTEP_INCLUDES "")
set(LOCKSTEP_TYPES "")
foreach(type IN LISTS types)
  string(REGEX MATCH "^(.*)/([^/]*)$" matched "${type}")
  set(folder "${CMAKE_MATCH_1}")
  # The header's name as rosidl makes it.
  string(REGEX REPLACE "(.)([A-Z][a-z]+)" "\\1_\\2" header "${CMAKE_MATCH_2}")
  string(REGEX REPLACE "([a-z0-9])([A-Z])" "\\1_\\2" header "${header}")
  string(TOLOWER "${header}" header)
  string(APPEND LOCKSTEP_INCLUDES "#include \"${folder}/${header}.hpp\"\n")
  string(REPLACE "/" "::" type "${type}")
  list(APPEND LOCKSTEP_TYPES "lockstep_rclcpp::message_type<${type}>()")
endforeach()
list(JOIN LOCKSTEP_TYPES ",\n       " LOCKSTEP_TYPES)

configure_file("${CMAKE_CURRENT_LIST_DIR}/node.cpp.in" "${OUTPUT}" @ONLY)
file(TOUCH "${OUTPUT}")
