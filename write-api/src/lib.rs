//! write-api
