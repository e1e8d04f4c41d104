//! What accounts decide: of whom, of their roles and sessions, and of the keys that tokens are signed with.

pub mod email;
pub mod identity_provider;
pub mod profile;
pub mod role;
pub mod session;
pub mod token_key;
pub mod user;

pub use email::Email;
pub use identity_provider::{IdentityProvider, IdentityProviderCommand, NewProvider};
pub use profile::{PostalAddress, Profile};
pub use role::{NewRole, Role, RoleCommand};
pub use session::{Session, SessionCommand};
pub use token_key::{TokenKey, TokenKeyCommand};
pub use user::{User, UserCommand};
