# bin/pixel_bench cheetah 1 1000 64 4
add_executable(pixel_bench pixel_bench.cpp)
target_link_libraries(pixel_bench PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
add_executable(task_pictures task_pictures.cpp)
target_link_libraries(task_pictures PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
# ninja task_sheet: draws docs/pictures/tasks.png anew
add_custom_target(task_sheet
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/task_sheet.py" $<TARGET_FILE:task_pictures>
  DEPENDS task_pictures USES_TERMINAL VERBATIM)
