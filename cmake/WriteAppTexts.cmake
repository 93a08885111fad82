# cmake -DPROGRAM=bin/ddpg -DNAME=ddpg -DDESTINATION=share "-DMAN=--print-man"
#       "-DCOMPLETION=--completion" -P WriteAppTexts.cmake
# Writes what the program prints about itself to the places below DESTINATION where man and bash look.
function(write_output file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ${ARGN} ended with ${result}")
  endif()
  file(WRITE "${DESTINATION}/${file}" "${text}")
endfunction()

write_output(man/man1/${NAME}.1 ${MAN})
write_output(bash-completion/completions/${NAME} ${COMPLETION} bash)
