//! Who waits for whom. That answers are right is shown against a database (`tests/it/reservations.rs`).

use super::*;
use crate::{
    clock::{Clock, SystemClock},
    contexts::inventory::domain::{StockCommand, StockItem},
    pipeline::{Allowance, Expected, process::correlate::Correlations},
};
use service::RequestContext;

/// Something that many want of one stock item.
struct Wanted;

impl UseCase for Wanted {
    type Aggregate = StockItem;
    type Input = Uuid;
    type Facts = ();

    fn name(_: &Uuid) -> &'static str {
        "want"
    }

    fn expected(_: &Uuid) -> Expected {
        Expected::Any
    }

    async fn facts(_: &mut PgConnection, _: &Scope, _: &[&Uuid]) -> Result<(), Failure> {
        Ok(())
    }

    fn target((): &(), id: &Uuid) -> Result<Uuid, Rejection> {
        Ok(*id)
    }

    fn plan((): &(), _: &Uuid) -> Result<StockCommand, Rejection> {
        Err(Rejection::not_found("nothing is planned here"))
    }
}

impl Together for Wanted {
    type Answer = u64;

    fn aggregate(id: &Uuid) -> Uuid {
        *id
    }

    fn answer(_: Option<&StockItem>, _: &Uuid, done: Done) -> u64 {
        done.version
    }
}

const SHOP: TenantId = TenantId(Uuid::nil());

fn place(number: u128) -> Place {
    (TypeId::of::<Wanted>(), SHOP, Uuid::from_u128(number))
}

fn member(number: u128) -> (Member<Wanted>, oneshot::Receiver<Answered<Wanted>>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (reply, answered) = oneshot::channel();
    let scope = Scope {
        tenant: SHOP,
        request: RequestContext { correlation_id: number.to_string(), traceparent: None },
        audited: Audited::default(),
        cause: None,
        now: clock.now(),
        clock,
        most_attributes: 1,
        allowance: Allowance::default(),
        processes: Correlations::default(),
    };
    (Member { scope, key: None, input: Uuid::from_u128(number), reply }, answered)
}

#[test]
fn the_first_needs_a_task_and_those_that_come_meanwhile_do_not() {
    let groups = Groups::default();
    assert!(groups.enter(place(1), member(1).0).expect("room"));
    assert!(groups.enter(place(2), member(2).0).expect("room"), "another aggregate");
    for _ in 1..=MOST_TOGETHER {
        assert!(!groups.enter(place(1), member(1).0).expect("room"));
    }
    let sizes: Vec<usize> = (0..3).map(|_| groups.next::<Wanted>(&place(1)).len()).collect();
    assert_eq!(sizes, [MOST_TOGETHER, 1, 0]);
    assert!(groups.enter(place(1), member(1).0).expect("room"), "whoever comes next is the first again");
    assert_eq!(groups.next::<Wanted>(&place(2)).len(), 1);
}

#[test]
fn more_than_can_wait_are_told_to_come_again() {
    let groups = Groups::default();
    for _ in 0..MOST_WAITING {
        groups.enter(place(1), member(1).0).expect("room");
    }
    let refused = groups.enter(place(1), member(1).0).expect_err("full");
    assert_eq!((refused.problem().status, refused.problem().code.as_str()), (503, "overloaded"));
    groups.enter(place(2), member(2).0).expect("another aggregate has room");
}

#[tokio::test]
async fn who_waits_for_a_task_that_breaks_is_told_and_the_next_begins_anew() {
    let groups = Groups::default();
    let (first, answered) = member(1);
    assert!(groups.enter(place(1), first).expect("room"));
    drop(Leader { groups: groups.clone(), place: place(1), is_done: false });
    assert!(answered.await.is_err());
    assert!(groups.enter(place(1), member(1).0).expect("room"));
    // A task that has found nobody leaves alone what is another's by now.
    drop(Leader { groups: groups.clone(), place: place(1), is_done: true });
    assert!(!groups.enter(place(1), member(1).0).expect("room"));
}

#[test]
fn what_was_decided_is_read_as_it_was_kept() {
    let key = Key { key: "k".to_owned(), request_hash: vec![1] };
    let rejected = Outcome::<u64>::Rejected(Rejection::not_found("nothing is there"));
    let kept = Kept::new(&key, &rejected).expect("JSON");
    let told = kept.answer::<Outcome<u64>>(&key).expect("readable").expect("the same request").told(true);
    assert!(matches!(told, Err(Error::Rejected(rejection)) if rejection == Rejection::not_found("nothing is there")));
    let kept = Kept::new(&key, &Outcome::Done(7_u64)).expect("JSON");
    let told = kept.answer::<Outcome<u64>>(&key).expect("readable").expect("the same request").told(true);
    assert_eq!(told.expect("done"), Decided { answer: 7, replayed: true });
    let other = Key { request_hash: vec![2], ..key };
    assert!(kept.answer::<Outcome<u64>>(&other).expect("readable").is_none());
}
