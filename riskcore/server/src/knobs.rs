//! Every limit of the transport, in one place, set explicitly. Printed at start-up and asserted in a test, because the
//! defaults of tonic and hyper include "no limit" (`max_concurrent_streams`, local error resets).

use std::fmt;
use std::time::Duration;

use crate::config::MISSED_HEARTBEATS;

/// Limits of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// Streams a peer may have open on one connection.
    pub max_concurrent_streams: u32,
    /// Streams reset by the peer before we took them.
    pub max_pending_accept_reset_streams: usize,
    /// Streams we reset because of the peer's errors; without it the fix of RUSTSEC-2024-0003 is off.
    pub max_local_error_reset_streams: usize,
    /// Bytes of the headers of one request.
    pub max_header_list_size: u32,
    /// Bytes of one HTTP/2 frame.
    pub max_frame_size: u32,
    /// Flow control of one stream: small, so that a flood is held back in its sender.
    pub stream_window: u32,
    /// Flow control of a connection: large, because with both small h2's data-frame budget ends honest clients.
    pub connection_window: u32,
    /// Until a silent connection gets an HTTP/2 ping.
    pub keepalive_interval: Duration,
    /// Until an unanswered ping ends the connection.
    pub keepalive_timeout: Duration,
    /// Bytes of one message.
    pub max_message_size: usize,
    /// Messages of one frame.
    pub max_frame_messages: usize,
    /// Messages worked through before the next task has its turn.
    pub messages_per_poll: usize,
    /// Connections at once; one more is closed as soon as it is accepted.
    pub max_connections: usize,
    /// Until the first byte of a connection.
    pub first_byte: Duration,
    /// Until the peer of a connection has shown a valid credential.
    pub identified: Duration,
}

/// Between HTTP/2 pings of a peer that heartbeats so often. They are the second line: none ends a connection before as many
/// heartbeats are missed as end a session, which is then told why.
pub(crate) fn keepalive(heartbeat: Duration) -> Duration {
    heartbeat.max(Duration::from_secs(1))
}

impl Knobs {
    /// Of the order-entry listener: each session takes up to two connections (itself and its cancel lane), and dry runs,
    /// the OMS and probes need some.
    pub fn order_entry(max_sessions: usize, heartbeat: Duration) -> Knobs {
        Knobs {
            max_concurrent_streams: 100,
            max_pending_accept_reset_streams: 20,
            max_local_error_reset_streams: 256,
            max_header_list_size: 8 << 10,
            max_frame_size: 16 << 10,
            stream_window: 32 << 10,
            connection_window: 1 << 20,
            keepalive_interval: keepalive(heartbeat),
            keepalive_timeout: keepalive(heartbeat) * MISSED_HEARTBEATS,
            max_message_size: 64 << 10,
            max_frame_messages: 256,
            messages_per_poll: 32,
            max_connections: 2 * max_sessions + 32,
            first_byte: Duration::from_secs(5),
            identified: Duration::from_secs(10),
        }
    }

    /// Of the halt door: a few people, small messages.
    pub fn halt_door() -> Knobs {
        let few = Knobs::order_entry(0, Duration::from_secs(1));
        Knobs { max_concurrent_streams: 8, max_connections: 64, max_message_size: 4 << 10, ..few }
    }

    /// A server with these limits.
    pub fn server(&self) -> tonic::transport::Server {
        tonic::transport::Server::builder()
            .max_concurrent_streams(self.max_concurrent_streams)
            .http2_max_pending_accept_reset_streams(Some(self.max_pending_accept_reset_streams))
            .http2_max_local_error_reset_streams(Some(self.max_local_error_reset_streams))
            .http2_max_header_list_size(self.max_header_list_size)
            .max_frame_size(self.max_frame_size)
            .initial_stream_window_size(self.stream_window)
            .initial_connection_window_size(self.connection_window)
            .http2_adaptive_window(Some(false))
            .http2_keepalive_interval(Some(self.keepalive_interval))
            .http2_keepalive_timeout(Some(self.keepalive_timeout))
            .accept_http1(false)
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "max_concurrent_streams={} max_pending_accept_reset_streams={} max_local_error_reset_streams={} \
             max_header_list_size={} max_frame_size={} stream_window={} connection_window={} keepalive={:?}/{:?} \
             max_message_size={} max_frame_messages={} messages_per_poll={} max_connections={} first_byte={:?} \
             identified={:?} h2_data_frame_budget=connection_window/2(default) h2_header_table_size=4096(default) \
             h2_send_buffer=409600(default)",
            self.max_concurrent_streams,
            self.max_pending_accept_reset_streams,
            self.max_local_error_reset_streams,
            self.max_header_list_size,
            self.max_frame_size,
            self.stream_window,
            self.connection_window,
            self.keepalive_interval,
            self.keepalive_timeout,
            self.max_message_size,
            self.max_frame_messages,
            self.messages_per_poll,
            self.max_connections,
            self.first_byte,
            self.identified,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_the_order_port_are_the_written_ones() {
        assert_eq!(
            "max_concurrent_streams=100 max_pending_accept_reset_streams=20 max_local_error_reset_streams=256 \
             max_header_list_size=8192 max_frame_size=16384 stream_window=32768 connection_window=1048576 \
             keepalive=1s/3s max_message_size=65536 max_frame_messages=256 messages_per_poll=32 max_connections=160 \
             first_byte=5s identified=10s h2_data_frame_budget=connection_window/2(default) \
             h2_header_table_size=4096(default) h2_send_buffer=409600(default)",
            Knobs::order_entry(64, Duration::from_secs(1)).to_string()
        );
    }

    #[test]
    fn a_peer_that_stands_still_is_never_cut_by_a_ping_before_it_has_missed_its_heartbeats() {
        for heartbeat in [10, 1_000, 5_000, 60_000].map(Duration::from_millis) {
            let knobs = Knobs::order_entry(1, heartbeat);

            assert!(knobs.keepalive_interval + knobs.keepalive_timeout > heartbeat * MISSED_HEARTBEATS, "{knobs}");
        }
    }
}
