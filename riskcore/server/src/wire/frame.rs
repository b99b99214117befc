//! tonic codecs that hand messages over as they are on the wire.

use bytes::{Buf, Bytes};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// What writes the next message of a stream. Called when the transport can take one: nothing is encoded for a peer that
/// does not read.
pub trait Drain: Send + 'static {
    /// Writes one message.
    fn drain(&mut self, out: &mut EncodeBuf<'_>);
}

/// Reads whole messages as `Bytes` that share tonic's buffer; writes what a [`Drain`] writes.
#[derive(Clone)]
pub struct FrameCodec<D> {
    drain: Option<D>,
}

impl<D: Drain> FrameCodec<D> {
    /// A codec for one stream.
    pub fn new(drain: D) -> FrameCodec<D> {
        FrameCodec { drain: Some(drain) }
    }
}

/// There is a message to write: the item of outgoing streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready;

impl<D: Drain> Codec for FrameCodec<D> {
    type Encode = Ready;
    type Decode = Bytes;
    type Encoder = FrameEncoder<D>;
    type Decoder = FrameDecoder;

    /// Called once per stream.
    fn encoder(&mut self) -> Self::Encoder {
        FrameEncoder(self.drain.take())
    }

    fn decoder(&mut self) -> Self::Decoder {
        FrameDecoder
    }
}

/// See [`FrameCodec`].
pub struct FrameEncoder<D>(Option<D>);

impl<D: Drain> Encoder for FrameEncoder<D> {
    type Item = Ready;
    type Error = Status;

    fn encode(&mut self, _item: Ready, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        if let Some(drain) = &mut self.0 {
            drain.drain(out);
        }
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(16 * 1024, 32 * 1024)
    }
}

/// See [`FrameCodec`].
pub struct FrameDecoder;

impl Decoder for FrameDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(src.copy_to_bytes(src.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(16 * 1024, 32 * 1024)
    }
}
