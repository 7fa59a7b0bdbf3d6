# Write the SHA-256 of each source of a package, by path, as C++ that puts them into a library:
#
#   cmake -DFOLDER=<package> -DOUTPUT=<file.cpp> -DNAME=<C identifier> -P digest_sources.cmake
#
# The file is left as it is if nothing has changed. What counts as a source is what
# lockstep/verify/fingerprints.py takes for one.

cmake_policy(VERSION 3.16)

set(_no_folder "^(build|install|log|test|tests|doc|docs|launch|__pycache__|\\..*)$")
set(_no_file "(\\.md|\\.rst|\\.pyc)$|^\\.|^README|^CHANGELOG|^LICENSE")

function(_digest folder)
  file(GLOB names LIST_DIRECTORIES true RELATIVE "${folder}" "${folder}/*")
  list(SORT names)
  foreach(name ${names})
    set(path "${folder}/${name}")
    if(IS_DIRECTORY "${path}")
      if(NOT name MATCHES "${_no_folder}" AND NOT IS_SYMLINK "${path}")
        _digest("${path}")
      endif()
    elseif(EXISTS "${path}" AND NOT name MATCHES "${_no_file}")
      set(is_verify_file FALSE)
      if(name MATCHES "\\.ya?ml$")
        file(STRINGS "${path}" implementations REGEX "^implementations:")
        file(STRINGS "${path}" reference REGEX "^reference:")
        if(implementations AND reference)
          set(is_verify_file TRUE)
        endif()
      endif()
      if(NOT is_verify_file)
        file(SHA256 "${path}" digest)
        file(RELATIVE_PATH relative "${FOLDER}" "${path}")
        string(APPEND lines "  \"${digest} ${relative}\\n\"\n")
      endif()
    endif()
  endforeach()
  set(lines "${lines}" PARENT_SCOPE)
endfunction()

set(lines "")
_digest("${FOLDER}")
set(text "// Which sources this was built of; lockstep verify reads it.\n")
string(APPEND text "extern \"C\" {\n")
string(APPEND text "__attribute__((visibility(\"default\"))) extern const char ${NAME}[];\n}\n")
string(APPEND text "__attribute__((used)) const char ${NAME}[] =\n  \"lockstep-sources\\n\"\n${lines};\n")
set(before "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT text STREQUAL before)
  file(WRITE "${OUTPUT}" "${text}")
endif()
