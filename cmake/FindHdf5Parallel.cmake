# HDF5's C library built for MPI. CMake's own FindHDF5 may pick the serial one where both are
# installed; Debian keeps the two apart by folder, clusters by HDF5_ROOT.
find_path(HDF5P_INCLUDE_DIR hdf5.h HINTS "$ENV{HDF5_ROOT}/include" "$ENV{HDF5_DIR}/include"
  "/usr/include/hdf5/openmpi" "/usr/lib/x86_64-linux-gnu/hdf5/openmpi/include"
  "/usr/lib/aarch64-linux-gnu/hdf5/openmpi/include" NO_DEFAULT_PATH)
find_path(HDF5P_INCLUDE_DIR hdf5.h)
find_library(HDF5P_LIBRARY NAMES hdf5 hdf5_openmpi HINTS "$ENV{HDF5_ROOT}/lib" "$ENV{HDF5_DIR}/lib"
  "/usr/lib/x86_64-linux-gnu/hdf5/openmpi" "/usr/lib/aarch64-linux-gnu/hdf5/openmpi" NO_DEFAULT_PATH)
find_library(HDF5P_LIBRARY NAMES hdf5_openmpi hdf5)
set(HDF5P_IS_PARALLEL FALSE)
if(HDF5P_INCLUDE_DIR)
  file(GLOB _hdf5_conf "${HDF5P_INCLUDE_DIR}/H5pubconf*.h")
  foreach(_conf ${_hdf5_conf})
    file(STRINGS "${_conf}" _parallel REGEX "#define H5_HAVE_PARALLEL 1")
    if(_parallel)
      set(HDF5P_IS_PARALLEL TRUE)
    endif()
  endforeach()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Hdf5Parallel
  REQUIRED_VARS HDF5P_LIBRARY HDF5P_INCLUDE_DIR HDF5P_IS_PARALLEL
  REASON_FAILURE_MESSAGE "install libhdf5-openmpi-dev (or run jobs/setup), or set HDF5_ROOT to a parallel HDF5")
if(Hdf5Parallel_FOUND AND NOT TARGET Hdf5Parallel::hdf5)
  add_library(Hdf5Parallel::hdf5 UNKNOWN IMPORTED)
  set_target_properties(Hdf5Parallel::hdf5 PROPERTIES IMPORTED_LOCATION "${HDF5P_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${HDF5P_INCLUDE_DIR}" INTERFACE_LINK_LIBRARIES MPI::MPI_C)
endif()
