tenfold_test(unit_cli LABEL unit
  SOURCES cli_command_line_test.cpp cli_config_test.cpp cli_environment_test.cpp cli_help_test.cpp
    cli_man_test.cpp cli_partner_test.cpp cli_resolve_test.cpp cli_value_test.cpp
  DEPS tenfold::cli nlohmann_json::nlohmann_json)
