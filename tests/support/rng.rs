//! A seeded generator of numbers (SplitMix64): a failing case is named by its seed and comes again.

/// The generator's state.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`.
    pub(crate) fn range(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.range(1, n) == 1
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.range(0, of.len() - 1)]
    }

    /// Bytes of every value.
    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    /// Letters, digits and hyphens.
    pub(crate) fn word(&mut self, low: usize, high: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
        (0..self.range(low, high)).map(|_| char::from(LETTERS[self.range(0, LETTERS.len() - 1)])).collect()
    }

    /// Text with line breaks and characters beyond ASCII, as source code has.
    pub(crate) fn text(&mut self, pieces: usize) -> String {
        const PIECES: [&str; 10] = [
            "fn main() {\n",
            "\tlet x = \"é\";\r\n",
            "data: ",
            "\n\n",
            "{\"a\":1}",
            "雪",
            "0\r\n\r\n",
            "HTTP/1.1 200",
            " ",
            "ü",
        ];
        (0..pieces).map(|_| self.pick(&PIECES)).collect()
    }

    /// Lengths that add up to `total`: mostly long, sometimes byte by byte.
    pub(crate) fn cuts(&mut self, total: usize) -> Vec<usize> {
        let largest = *[1, 7, 100, 1500, 20_000].get(self.range(0, 4)).expect("five of them");
        // At most about sixty pieces: each is a TLS record and a write of its own.
        let largest = largest.max(total / 60);
        let mut cuts = Vec::new();
        let mut left = total;
        while left > 0 {
            let n = self.range(1, largest.max(1)).min(left);
            cuts.push(n);
            left -= n;
        }
        cuts
    }
}
