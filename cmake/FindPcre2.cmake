find_path(PCRE2_INCLUDE_DIR pcre2.h)
find_library(PCRE2_LIBRARY pcre2-8)
set(Pcre2_VERSION "")
if(PCRE2_INCLUDE_DIR)
  file(STRINGS "${PCRE2_INCLUDE_DIR}/pcre2.h" _pcre2_version REGEX "#define PCRE2_(MAJOR|MINOR) +[0-9]+")
  string(REGEX REPLACE "[^0-9;]*2_[A-Z]+ +" "" _pcre2_version "${_pcre2_version}")
  string(REPLACE ";" "." Pcre2_VERSION "${_pcre2_version}")
endif()
include(FindPackageHandleStandardArgs)
# 10.40 brought \p{sc:Han}, the scripts as Oniguruma means them.
find_package_handle_standard_args(Pcre2 REQUIRED_VARS PCRE2_LIBRARY PCRE2_INCLUDE_DIR VERSION_VAR Pcre2_VERSION
  REASON_FAILURE_MESSAGE "install libpcre2-dev, 10.40 or newer (or run jobs/setup)")
if(Pcre2_FOUND AND NOT TARGET Pcre2::pcre2)
  add_library(Pcre2::pcre2 UNKNOWN IMPORTED)
  set_target_properties(Pcre2::pcre2 PROPERTIES IMPORTED_LOCATION "${PCRE2_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${PCRE2_INCLUDE_DIR}")
endif()
