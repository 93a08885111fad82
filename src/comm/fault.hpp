// Named points at which tests make a run fail: TENFOLD_FAULT=kind:rank=r:at=point:n=k.
#pragma once

#include <string_view>
#include <vector>

namespace tenfold::comm {

/// Does nothing unless TENFOLD_FAULT names this point and rank and this is the n-th passage
/// (default the first). Kinds: kill (SIGKILL to itself), hang (sleeps for ever), enospc and eio
/// (throws base::Error kIo as the system call would have), slow (sleeps 2 s). Costs one branch when
/// off.
void fault_point(std::string_view point);

/// True when kind is asked for here and now (for `nan` and `short`, which the caller must act out).
bool fault_here(std::string_view kind, std::string_view point);

/// Reads TENFOLD_FAULT; throws Code::kUsage when it is malformed or names an unknown kind or point.
void configure_faults(int rank);
/// Every point in the code, for the test that wants a test for each.
const std::vector<std::string_view>& fault_points();

}  // namespace tenfold::comm
