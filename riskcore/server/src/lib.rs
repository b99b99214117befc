//! The data plane: sessions, sequencer, venue link, cancel lane, timers.
