//! What a read model tells the rest of query-api: its routes, and what they show to whom.

use crate::app::App;
use access::Routes;

/// A read model, as [`crate::reads::ALL`] lists it.
#[derive(Debug, Clone, Copy)]
pub struct ReadModel {
    /// Its routes, with their part of the OpenAPI document.
    pub routes: fn() -> Routes<App>,
    /// A case for each of its routes; the test of tenant isolation fails on a route without one.
    pub isolation: &'static [Isolation],
}

/// How one tenant asks a route for what belongs to another, and what must come.
///
/// The owner has one published product, titled `Lamp of ours`, imported as `same`, in the category `lamps`. In paths
/// and bodies, `{product}` stands for its id, `{variant}` for that of its variant, `{slug}` for its slug and `{now}` for the
/// present moment.
#[derive(Debug, Clone, Copy)]
pub struct Isolation {
    /// The route, as in the OpenAPI document.
    pub route: &'static str,
    /// The path to ask for.
    pub ask: &'static str,
    /// The JSON body, where the route is asked by POST.
    pub body: Option<&'static str>,
    /// Commands of the owner, after which there is something to see, here and in the cases that follow.
    pub given: &'static [Given],
    /// What must come.
    pub expected: Expected,
}

/// A command to write-api.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// The method, such as `PUT`.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// The JSON body.
    pub body: &'static str,
}

/// What the other tenant must get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// 404, where the owner gets 200.
    NotFound,
    /// 401 without a key: the route is for administrators, who see all tenants.
    StaffOnly,
    /// An answer without the owner's product, which the owner's own answer holds.
    Concealed,
    /// An empty array at this JSON pointer, where the owner's has something.
    Empty(&'static str),
    /// An empty array at this JSON pointer. The owner's is empty, too: no command leads to something there.
    NothingYet(&'static str),
    /// Not `true` at this JSON pointer, where the owner's is `true`.
    Denied(&'static str),
    /// The same for everybody: it tells of the installation.
    OfInstallation,
    /// 403 for administrators of either: what is a shopper's is nobody else's. A test of its own asks as shoppers.
    OfShoppers,
}

impl Isolation {
    /// A route that is asked by GET.
    #[must_use]
    pub const fn of(route: &'static str, ask: &'static str, expected: Expected) -> Self {
        Self { route, ask, body: None, given: &[], expected }
    }

    /// A route of staff.
    #[must_use]
    pub const fn staff(route: &'static str) -> Self {
        Self::of(route, route, Expected::StaffOnly)
    }

    /// After these commands.
    #[must_use]
    pub const fn given(self, given: &'static [Given]) -> Self {
        Self { given, ..self }
    }

    /// Asked by POST with a JSON body.
    #[must_use]
    pub const fn posting(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }
}
