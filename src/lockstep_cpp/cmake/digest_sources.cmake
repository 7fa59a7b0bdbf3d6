# Write the SHA-256 of each source of a package, by path, as C++ that puts them into a library:
#
#   cmake -DFOLDER=<package> -DOUTPUT=<file.cpp> -DNAME=<C identifier> -P digest_sources.cmake
#
# The file is left as it is if nothing has changed. What counts as a source is what
# lockstep/verify/fingerprints.py takes for one, and a verify file is what is_verify_file
# (lockstep/verify/model.py) takes for one.

cmake_policy(VERSION 3.16)

set(_no_folder "^(build|install|log|test|tests|doc|docs|launch|__pycache__|\\..*)$")
set(_no_file "(\\.md|\\.rst|\\.pyc)$|^\\.|^README|^CHANGELOG|^LICENSE")

set(_before_key "(^|\n|[{,][ \t\r\n]*)[\"']?")
set(_after_key "[\"']?[ \t]*:")

function(_digest folder)
  string(REPLACE "[" "[[]" pattern "${folder}")
  file(GLOB names LIST_DIRECTORIES true RELATIVE "${folder}" "${pattern}/*")
  # In a list of CMake's, what is between brackets is one element.
  string(REPLACE "[" "<lockstep-open>" names "${names}")
  string(REPLACE "]" "<lockstep-close>" names "${names}")
  list(SORT names)
  foreach(name ${names})
    string(REPLACE "<lockstep-open>" "[" name "${name}")
    string(REPLACE "<lockstep-close>" "]" name "${name}")
    set(path "${folder}/${name}")
    if(IS_DIRECTORY "${path}")
      if(NOT name MATCHES "${_no_folder}" AND NOT IS_SYMLINK "${path}")
        _digest("${path}")
      endif()
    elseif(name MATCHES "\n" OR (NOT EXISTS "${path}" AND NOT IS_SYMLINK "${path}"))
      message(FATAL_ERROR
        "a file in ${folder} has a semicolon, a backslash or a newline in its name, which cannot be "
        "listed (at '${name}'); rename it")
    elseif(EXISTS "${path}" AND NOT name MATCHES "${_no_file}")
      set(is_verify_file FALSE)
      if(name MATCHES "\\.ya?ml$")
        file(READ "${path}" content)
        if(content MATCHES "${_before_key}implementations${_after_key}" AND
            content MATCHES "${_before_key}reference${_after_key}")
          set(is_verify_file TRUE)
        endif()
      endif()
      if(NOT is_verify_file)
        file(SHA256 "${path}" digest)
        file(RELATIVE_PATH relative "${FOLDER}" "${path}")
        string(REPLACE "\"" "\\\"" relative "${relative}")
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
