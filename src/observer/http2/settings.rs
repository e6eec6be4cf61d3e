//! SETTINGS (RFC 9113 section 6.5).

/// The largest dynamic table that the sender of the frame will decode with.
const HEADER_TABLE_SIZE: u16 = 0x1;

/// The sizes of the header table that a payload announces.
///
/// The rest says nothing to an observer: frames larger than SETTINGS_MAX_FRAME_SIZE are the peer's to refuse, and
/// nothing is kept here by the length of a frame.
pub(super) fn header_table_sizes(payload: &[u8]) -> impl Iterator<Item = u32> {
    payload.as_chunks::<6>().0.iter().filter_map(|&[i1, i2, v1, v2, v3, v4]| {
        (u16::from_be_bytes([i1, i2]) == HEADER_TABLE_SIZE).then_some(u32::from_be_bytes([v1, v2, v3, v4]))
    })
}
