if(TENFOLD_PYTHON_TASKS)
  tenfold_pytest(a3c_atari LABEL cli FILE tests/cli/test_a3c_atari.py AT_ONCE 4)
endif()
