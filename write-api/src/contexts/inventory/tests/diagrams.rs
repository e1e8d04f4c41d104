//! The states of a reservation.

use super::*;
use crate::{
    contexts::inventory::domain::{Hold, HoldState, ReservationCommand},
    domain::diagram::{Diagram, Exploration},
};

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    // Pieces of it lie at two places.
    let hold = Hold { checkout_id: None, quantity: 7, location: None, preferred: Vec::new(), expires_at: at(60) };
    let asked = |command, minutes| StockCommand::Reservation(id(1), command, at(minutes));
    let reservation = Exploration::<StockItem> {
        title: "Reservation of stock",
        given: vec![received_at("a", 5, 5), received_at("b", 5, 5)],
        commands: vec![
            asked(ReservationCommand::Reserve(hold), 0),
            asked(ReservationCommand::Pin, 1),
            asked(ReservationCommand::Unpin(at(90)), 2),
            asked(ReservationCommand::Commit, 3),
            asked(ReservationCommand::Release, 4),
            asked(ReservationCommand::Expire, 120),
            asked(ReservationCommand::Dispatch(Some(place("a"))), 5),
            asked(ReservationCommand::Dispatch(None), 6),
        ],
        name: |item| item.reservations.get(&id(1)).map(|reservation| reservation.state().as_str()),
        without: &["received", "adjusted", "transferred", "returned", "backorders_set", "short"],
    };
    let reservation = reservation.diagram();
    assert!(reservation.has(&HoldState::ALL.map(HoldState::as_str)), "{reservation}");
    vec![
        reservation.with_note("As a whole: of its parts at several places, what goes on counts before what has ended."),
    ]
}
