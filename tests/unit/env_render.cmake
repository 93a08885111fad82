tenfold_test(unit_env_render LABEL unit
  SOURCES env_pixel_test.cpp env_render_test.cpp
  DEPS tenfold::env)
# The same with the other way to draw, chosen by name, and chosen because EGL has no driver.
foreach(case osmesa no_egl)
  add_test(NAME unit_env_render.${case} COMMAND unit_env_render)
  set_tests_properties(unit_env_render.${case} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
set_tests_properties(unit_env_render.osmesa PROPERTIES
  ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT};MUJOCO_GL=osmesa")
set_tests_properties(unit_env_render.no_egl PROPERTIES
  ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT};__EGL_VENDOR_LIBRARY_FILENAMES=/nonexistent")
set_tests_properties(unit_env_render unit_env_render.osmesa unit_env_render.no_egl PROPERTIES
  SKIP_REGULAR_EXPRESSION "PICTURES NOT TESTED")
