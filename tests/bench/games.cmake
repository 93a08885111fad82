# bin/game_views labyrinth cells=5 1 6s10
add_executable(game_views game_views.cpp)
target_link_libraries(game_views PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
