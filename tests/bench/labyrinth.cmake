# bin/game_views labyrinth cells=5 1 6s10
add_executable(game_views game_views.cpp)
target_link_libraries(game_views PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
# ninja game_sheet: draws docs/pictures/labyrinth.png and racing.png anew
add_custom_target(game_sheet
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/game_sheet.py" $<TARGET_FILE:game_views>
  DEPENDS game_views USES_TERMINAL VERBATIM)
add_executable(labyrinth_bench labyrinth_bench.cpp)
target_link_libraries(labyrinth_bench PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
add_executable(game_scores game_scores.cpp)
target_include_directories(game_scores PRIVATE "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(game_scores PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
# ninja bench_labyrinth
add_custom_target(bench_labyrinth
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/labyrinth_bench.py"
    $<TARGET_FILE:labyrinth_bench> $<TARGET_FILE:game_scores> --record
  DEPENDS labyrinth_bench game_scores USES_TERMINAL VERBATIM)
