//! What is remembered between requests: which refresh token of a family is the newest, and which families and tokens
//! have ended. The rules are here; where the memory is, is not.

mod bucket;
pub mod etcd;
mod family;
mod id;
mod places;

pub(crate) use self::places::Places;
pub use self::{
    bucket::{FamilyBucket, FamilyPlace, InvalidFamilyBucket, Question},
    family::{Family, FamilyStatus, RefreshTokenUse, Revoke, TokenInUse, UseResult},
    id::{FamilyId, TokenId},
    places::{OnGraceFromElsewhere, OriginMark},
};
