//! The signal that wakes readers after a commit of the views: a channel of the read database, and what its payload
//! says.

/// The channel.
pub const VIEWS_CHANGED: &str = "souk_views";

/// What a commit has changed, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// Figures about shoppers, which are not kept: they come all the time, and what was kept of other views stays
    /// true.
    Figures,
    /// Anything but what staff have defined to steer searches.
    Products,
    /// Anything.
    Anything,
}

impl Changed {
    /// As the payload says it.
    #[must_use]
    pub const fn payload(self) -> &'static str {
        match self {
            Self::Figures => "figures",
            Self::Products => "products",
            Self::Anything => "",
        }
    }

    /// What a payload says. One of a later release may mean anything.
    #[must_use]
    pub fn of(payload: &str) -> Self {
        [Self::Figures, Self::Products]
            .into_iter()
            .find(|changed| changed.payload() == payload)
            .unwrap_or(Self::Anything)
    }
}
