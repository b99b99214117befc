//! The record seam: every input of the core in one sequence, appended before its effects leave.
