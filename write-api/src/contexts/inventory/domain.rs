//! Stock: one item per variant, with counters at each location, and reservations of it.
//!
//! What can be sold is what is on hand less what is held for checkouts and committed to orders. A reservation never takes more;
//! a correction may leave less, and then tells for whom pieces are missing.

pub mod allocate;
pub mod command;
pub mod decide;
pub mod location;
pub mod policy;
pub mod rejection;
pub mod reservation;
pub mod reserve;
pub mod state;

pub use command::StockCommand;
pub use rejection::Rejection;
pub use reservation::{Hold, HoldState, Reservation, ReservationCommand};
pub use state::{Level, StockItem};
