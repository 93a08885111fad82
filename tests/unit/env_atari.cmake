tenfold_test(unit_env_atari_picture LABEL unit
  SOURCES env_atari_picture_test.cpp
  DEPS tenfold::env)
if(TENFOLD_PYTHON_TASKS)
  tenfold_test(unit_env_atari LABEL unit
    SOURCES env_atari_test.cpp
    DEPS tenfold::env)
endif()
