tenfold_test(unit_a3c LABEL unit
  SOURCES a3c_config_test.cpp a3c_gate_test.cpp a3c_human_scores_test.cpp a3c_life_loss_test.cpp
    a3c_networks_test.cpp a3c_optimizer_test.cpp a3c_schedules_test.cpp
    kokkos_environment.cpp
  DEPS tenfold_app_a3c)

# Ranks are processes, which ThreadSanitizer cannot see: the code that shares parameters runs in threads here.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -fsanitize=thread)
set(CMAKE_REQUIRED_LINK_OPTIONS -fsanitize=thread)
check_cxx_source_compiles("int main() { return 0; }" TENFOLD_HAS_THREAD_SANITIZER)
unset(CMAKE_REQUIRED_FLAGS)
unset(CMAKE_REQUIRED_LINK_OPTIONS)
if(TENFOLD_HAS_THREAD_SANITIZER AND NOT TENFOLD_SANITIZE)
  set(sharing ${PROJECT_SOURCE_DIR}/apps/a3c/sharing)
  add_executable(a3c_races a3c_races.cpp ${sharing}/locks.cpp ${sharing}/optimizer.cpp ${sharing}/shared_parameters.cpp
    ${PROJECT_SOURCE_DIR}/src/comm/waiting.cpp)
  target_compile_options(a3c_races PRIVATE -fsanitize=thread -O1 -g)
  target_include_directories(a3c_races PRIVATE "${PROJECT_SOURCE_DIR}/apps")
  target_link_options(a3c_races PRIVATE -fsanitize=thread)
  target_link_libraries(a3c_races PRIVATE tenfold::nn tenfold::comm tenfold_flags)
  set(race_options "TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/a3c_races.supp exitcode=66 ignore_noninstrumented_modules=1")
  add_test(NAME a3c_races COMMAND a3c_races safe)
  add_test(NAME a3c_races.seen COMMAND a3c_races hogwild)
  set_tests_properties(a3c_races a3c_races.seen PROPERTIES LABELS unit TIMEOUT 120
    ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT};${race_options}")
  set_tests_properties(a3c_races.seen PROPERTIES PASS_REGULAR_EXPRESSION "data race [^\n]* in rmsprop_loop")
endif()
