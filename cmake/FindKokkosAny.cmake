# Kokkos from Kokkos_ROOT, from Debian's Trilinos (whose own CMake package names folders that do not
# exist), or from wherever CMake finds its package: 3.4 to 5. All end as KokkosAny::kokkos.
set(_kokkos_named FALSE)
if(DEFINED Kokkos_ROOT OR NOT "$ENV{Kokkos_ROOT}" STREQUAL "")
  set(_kokkos_named TRUE)
endif()
find_path(KOKKOS_INCLUDE_DIR Kokkos_Core.hpp PATH_SUFFIXES trilinos)
find_library(KOKKOS_CORE_LIBRARY NAMES trilinos_kokkoscore)
if(_kokkos_named OR NOT KOKKOS_CORE_LIBRARY OR NOT KOKKOS_INCLUDE_DIR)
  find_package(Kokkos QUIET CONFIG)
endif()
include(FindPackageHandleStandardArgs)
if(TARGET Kokkos::kokkos)
  set(KOKKOS_TARGET Kokkos::kokkos)
  find_package_handle_standard_args(KokkosAny REQUIRED_VARS KOKKOS_TARGET)
  if(NOT TARGET KokkosAny::kokkos)
    add_library(KokkosAny::kokkos INTERFACE IMPORTED)
    set_target_properties(KokkosAny::kokkos PROPERTIES INTERFACE_LINK_LIBRARIES Kokkos::kokkos)
  endif()
  return()
endif()
find_package_handle_standard_args(KokkosAny REQUIRED_VARS KOKKOS_CORE_LIBRARY KOKKOS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libtrilinos-kokkos-dev (or run jobs/setup), or set Kokkos_ROOT")
if(KokkosAny_FOUND AND NOT TARGET KokkosAny::kokkos)
  add_library(KokkosAny::kokkos UNKNOWN IMPORTED)
  set_target_properties(KokkosAny::kokkos PROPERTIES IMPORTED_LOCATION "${KOKKOS_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${KOKKOS_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS};Threads::Threads")
endif()
