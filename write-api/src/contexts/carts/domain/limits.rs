//! How much there may be of what.

/// The most pieces on a line.
pub const MOST_PIECES: u32 = 999;
/// The most lines of a cart.
pub const MOST_LINES: usize = 200;
/// The most codes that somebody may try at once.
pub const MOST_COUPONS: usize = 10;
/// The most carts that are put into one.
pub const MOST_MERGED: usize = 100;
/// The most options of a line.
pub const MOST_OPTIONS: usize = 10;
/// The most characters of an option's name.
pub const MOST_NAME: usize = 64;
/// The most characters of what is wanted.
pub const MOST_TEXT: usize = 500;
/// The most bytes of a line's options, names included: a cart full of them is one event when it is merged.
pub const MOST_OPTION_BYTES: usize = 2_000;
/// The most characters of a code.
pub const MOST_CODE: usize = 64;
