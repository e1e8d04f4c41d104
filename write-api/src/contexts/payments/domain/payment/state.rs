//! What is known of a payment.

use schemas::{
    events::{
        PaymentsEvent,
        payments::{
            CaptureSource, PaymentActionRequired, PaymentAuthorized, PaymentCaptured, PaymentCreated,
            PaymentMismatchFound, TransferEntered,
        },
        settings::PaymentMethod,
    },
    money::Money,
};
use serde::{Deserialize, Serialize};

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was tried, or nothing has come yet.
    Created,
    /// An attempt was begun; what came of it is not known yet.
    Pending,
    /// The shopper has to do something.
    ActionRequired,
    /// The money is held.
    Authorized,
    /// Some of it has come, and more may.
    PartlyCaptured,
    /// It has come, as far as it comes.
    Captured,
    /// The last attempt has failed; another may follow.
    Failed,
    /// Nothing is paid by it any more.
    Voided,
    /// The money was held for too long; another attempt may follow.
    Expired,
}

impl Status {
    /// As answers and tables say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::ActionRequired => "action_required",
            Self::Authorized => "authorized",
            Self::PartlyCaptured => "partly_captured",
            Self::Captured => "captured",
            Self::Failed => "failed",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

/// An attempt to have a provider take the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What the provider calls it, as soon as that is known.
    pub reference: Option<String>,
    /// How much was ever held.
    pub authorized: i64,
    /// How much of it was captured.
    pub captured: i64,
    /// How much of it was let go of.
    pub released: i64,
}

impl Attempt {
    /// How much is held now.
    #[must_use]
    pub const fn held(&self) -> i64 {
        self.authorized.saturating_sub(self.captured).saturating_sub(self.released)
    }
}

/// Money that has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Unique for ever.
    pub capture_id: String,
    /// How much.
    pub amount: i64,
    /// By what.
    pub source: CaptureSource,
    /// Who has it.
    pub account: String,
    /// Of cash that the carrier has handed over: what it has kept.
    pub kept: Option<i64>,
}

/// A transfer that somebody has entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What was entered, and by whom.
    #[serde(flatten)]
    pub entered: TransferEntered,
    /// Who has approved it, if anybody has.
    pub approved_by: Option<String>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What was to be paid, for what and how.
    #[serde(flatten)]
    pub created: PaymentCreated,
    /// How far it is.
    pub status: Status,
    /// Whether it was given up: money that comes later is late.
    pub is_given_up: bool,
    /// Whether late money is given back at once.
    pub gives_back: bool,
    /// Why the last attempt has failed, in a word.
    pub failure: Option<String>,
    /// In their order.
    pub attempts: Vec<Attempt>,
    /// In their order.
    pub captures: Vec<Capture>,
    /// In their order.
    pub transfers: Vec<Transfer>,
    /// What the provider calls the fees that are known.
    pub fees: Vec<String>,
    /// What differed last.
    pub mismatch: Option<PaymentMismatchFound>,
}

impl Payment {
    fn new(created: &PaymentCreated) -> Self {
        Self {
            created: created.clone(),
            status: Status::Created,
            is_given_up: false,
            gives_back: false,
            failure: None,
            attempts: Vec::new(),
            captures: Vec::new(),
            transfers: Vec::new(),
            fees: Vec::new(),
            mismatch: None,
        }
    }

    /// Whether a payment provider takes the money.
    #[must_use]
    pub fn is_by_provider(&self) -> bool {
        self.created.method == PaymentMethod::Card
    }

    /// The attempt of this number.
    #[must_use]
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.number == number)
    }

    /// The last attempt.
    #[must_use]
    pub fn current(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The number of the last attempt; 0 for none.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.current().map_or(0, |attempt| attempt.number)
    }

    /// The attempt of which money is held.
    #[must_use]
    pub fn holding(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.held() > 0)
    }

    /// How much has come in all.
    #[must_use]
    pub fn captured(&self) -> i64 {
        self.captures.iter().fold(0, |sum, capture| sum.saturating_add(capture.amount))
    }

    /// An amount in the currency of the payment.
    #[must_use]
    pub const fn money(&self, amount: i64) -> Money {
        Money { amount, currency: self.created.money.currency }
    }

    /// The state after an event.
    #[must_use]
    pub fn after(state: Option<Self>, event: &PaymentsEvent) -> Option<Self> {
        if let PaymentsEvent::PaymentCreated(created) = event {
            return Some(Self::new(created));
        }
        let mut payment = state?;
        payment.follow(event);
        Some(payment)
    }

    fn follow(&mut self, event: &PaymentsEvent) {
        match event {
            PaymentsEvent::PaymentPending(pending) => {
                self.attempts.push(Attempt {
                    number: pending.attempt,
                    reference: None,
                    authorized: 0,
                    captured: 0,
                    released: 0,
                });
                self.failure = None;
                self.status = Status::Pending;
            }
            PaymentsEvent::PaymentActionRequired(PaymentActionRequired { attempt, reference, .. }) => {
                self.refer(*attempt, Some(reference));
                self.status = Status::ActionRequired;
            }
            PaymentsEvent::PaymentAuthorized(PaymentAuthorized { attempt, reference, money, .. }) => {
                self.refer(*attempt, Some(reference));
                self.change(*attempt, |attempt| attempt.authorized = money.amount);
                self.status = self.unless_captured(Status::Authorized);
            }
            PaymentsEvent::AuthorizationExpired(expired) => {
                self.change(expired.attempt, |attempt| attempt.released += expired.money.amount);
                self.status = self.unless_captured(Status::Expired);
            }
            PaymentsEvent::PaymentFailed(failed) => {
                self.refer(failed.attempt, failed.reference.as_ref());
                self.failure = Some(failed.reason.clone());
                self.status = Status::Failed;
            }
            PaymentsEvent::PaymentVoided(voided) => {
                self.change(voided.attempt, |attempt| attempt.released += voided.money.amount);
                self.is_given_up = true;
                self.gives_back = voided.gives_back;
                self.status = Status::Voided;
            }
            PaymentsEvent::PaymentCaptured(captured) => self.take(captured),
            PaymentsEvent::FeeCharged(fee) => self.fees.push(fee.transaction.clone()),
            PaymentsEvent::TransferEntered(entered) => {
                self.transfers.push(Transfer { entered: entered.clone(), approved_by: None });
            }
            PaymentsEvent::TransferApproved(approved) => {
                let transfer = self.transfers.iter_mut().find(|it| it.entered.proof_id == approved.proof_id);
                if let Some(transfer) = transfer {
                    transfer.approved_by = Some(approved.approved_by.clone());
                }
            }
            PaymentsEvent::CashRemitted(remitted) => {
                let capture = self.captures.iter_mut().find(|it| it.capture_id == remitted.capture_id);
                if let Some(capture) = capture {
                    capture.kept = Some(remitted.kept);
                }
            }
            PaymentsEvent::PaymentMismatchFound(found) => self.mismatch = Some(found.clone()),
            PaymentsEvent::PaymentCreated(_)
            | PaymentsEvent::ProviderAccountSet(_)
            | PaymentsEvent::RefundRequested(_)
            | PaymentsEvent::RefundSubmitted(_)
            | PaymentsEvent::RefundSucceeded(_)
            | PaymentsEvent::RefundFailed(_)
            | PaymentsEvent::LedgerTransactionPosted(_) => {}
        }
    }

    /// What has come stays more than what another attempt is at.
    fn unless_captured(&self, status: Status) -> Status {
        if self.captures.is_empty() { status } else { Status::Captured }
    }

    fn take(&mut self, captured: &PaymentCaptured) {
        let PaymentCaptured { capture_id, source, account, money, from_hold, released, attempt, .. } = captured;
        self.captures.push(Capture {
            capture_id: capture_id.clone(),
            amount: money.amount,
            source: *source,
            account: account.clone(),
            kept: None,
        });
        if let Some(attempt) = attempt {
            self.change(*attempt, |attempt| {
                attempt.captured += from_hold;
                attempt.released += released;
            });
        }
        let is_all = self.captured() >= self.created.money.amount;
        // What is let go of with it does not come any more.
        let is_last = attempt.is_some() && self.holding().is_none();
        self.status = if is_all || is_last { Status::Captured } else { Status::PartlyCaptured };
    }

    fn refer(&mut self, number: u32, reference: Option<&String>) {
        self.change(number, |attempt| {
            if let Some(reference) = reference {
                attempt.reference = Some(reference.clone());
            }
        });
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.number == number) {
            change(attempt);
        }
    }
}
