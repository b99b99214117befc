//! Writing: fields into a buffer on the stack, lengths known before the bytes.

use bytes::BufMut;

/// Bytes that `value` takes as a varint.
pub const fn varint_len(value: u64) -> usize {
    // One byte for each started group of seven bits.
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// A message under construction, at most `N` bytes. What does not fit is cut off and [`Scratch::overflowed`] says so:
/// `N` is a constant larger than the largest message its user can build.
#[derive(Clone, Copy, Debug)]
pub struct Scratch<const N: usize> {
    bytes: [u8; N],
    length: usize,
    overflowed: bool,
}

impl<const N: usize> Default for Scratch<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Scratch<N> {
    /// An empty message.
    pub const fn new() -> Self {
        Self { bytes: [0; N], length: 0, overflowed: false }
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether anything was cut off.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Appends raw bytes.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        match self.bytes.get_mut(self.length..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length = end;
            }
            None => self.overflowed = true,
        }
    }

    /// Appends a varint without a tag.
    #[inline]
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.raw(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.raw(&[value as u8]);
    }

    /// Appends an integer, enum or boolean field; 0 is the default and takes no bytes.
    #[inline]
    pub fn uint(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.varint(u64::from(field) << 3);
            self.varint(value);
        }
    }

    /// Appends a `fixed64` field; 0 takes no bytes.
    #[inline]
    pub fn fixed64(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.fixed64_present(field, value);
        }
    }

    /// Appends an `sfixed64` field; 0 takes no bytes.
    #[inline]
    pub fn sfixed64(&mut self, field: u32, value: i64) {
        self.fixed64(field, value.cast_unsigned());
    }

    /// Appends a `fixed64` field whose presence means something.
    #[inline]
    pub fn fixed64_present(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field) << 3 | 1);
        self.raw(&value.to_le_bytes());
    }

    /// Appends text, bytes or a nested message; empty takes no bytes.
    #[inline]
    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        if !value.is_empty() {
            self.length_prefix(field, value.len());
            self.raw(value);
        }
    }

    /// Appends the tag and length of a nested message that the caller writes next.
    #[inline]
    pub fn length_prefix(&mut self, field: u32, length: usize) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(length as u64);
    }

    /// Copies the message into a frame.
    #[inline]
    pub fn put_into(&self, frame: &mut impl BufMut) {
        frame.put_slice(self.as_slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varint_length_is_what_is_written() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1_u64 << shift) - 1, u64::MAX >> shift] {
                let mut scratch = Scratch::<16>::new();
                scratch.varint(value);

                assert_eq!(scratch.as_slice().len(), varint_len(value), "{value}");
            }
        }
    }

    #[test]
    fn a_full_buffer_says_so_instead_of_panicking() {
        let mut scratch = Scratch::<4>::new();
        scratch.fixed64_present(1, 1);

        assert!(scratch.overflowed());
    }
}
