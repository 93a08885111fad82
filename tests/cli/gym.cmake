if(TENFOLD_PYTHON_TASKS)
  tenfold_pytest(ddpg_gym LABEL cli FILE tests/cli/test_ddpg_gym.py TIMEOUT 600 AT_ONCE 4)
endif()
