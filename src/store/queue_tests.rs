use std::sync::atomic::AtomicBool;
use std::task::Wake;

use super::*;
use crate::config::OnStoreFailure;
use crate::store::testing::{TestClock, exchange};

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Bench {
    clock: Arc<TestClock>,
    losses: Arc<Losses>,
    metrics: Metrics,
    queue: Queue,
    flag: Arc<Flag>,
}

impl Bench {
    fn new(limit: usize) -> Self {
        let (clock, metrics) = (Arc::new(TestClock::default()), Metrics::default());
        let losses = Arc::new(Losses::new("logs".into(), clock.clone(), metrics.clone(), OnStoreFailure::Continue));
        let queue = Queue::new(limit, clock.clone(), losses.clone(), metrics.clone());
        Self { clock, losses, metrics, queue, flag: Arc::new(Flag(AtomicBool::new(false))) }
    }

    fn poll(&self) -> Poll<()> {
        self.queue.poll_ready(&Context::from_waker(&self.flag.clone().into()))
    }

    fn take(&self) -> Job {
        match self.queue.next(Some(Duration::ZERO)) {
            Next::Job(job) => job,
            Next::Idle | Next::Closed => panic!("a job is expected"),
        }
    }

    fn is_woken(&self) -> bool {
        self.flag.0.swap(false, Ordering::SeqCst)
    }
}

fn record(size: usize) -> Action {
    Action::Finish(Box::new(exchange("/x", &vec![b'q'; size / 2], &vec![b'r'; size / 2])))
}

fn body_of(job: &Job) -> usize {
    let Action::Finish(exchange) = &job.action else { panic!("a record is expected") };
    exchange.request.body.kept.len() + exchange.response.as_ref().map_or(0, |response| response.body.kept.len())
}

#[test]
fn a_full_queue_makes_relays_wait_until_there_is_room_again() {
    let bench = Bench::new(100_000);
    assert!(bench.poll().is_ready());
    bench.queue.submit(record(60_000));
    assert!(bench.poll().is_ready());
    bench.queue.submit(record(60_000));
    assert!(bench.poll().is_pending());
    assert!(bench.poll().is_pending());
    assert_eq!(bench.queue.state().waiting.len(), 1, "one relay waits once");
    assert_eq!(bench.metrics.queue_bytes.get() as usize, bench.queue.bytes.load(Ordering::Relaxed));
    let job = bench.take();
    assert!(!bench.is_woken());
    assert_eq!(body_of(&job), 60_000);
    bench.queue.done(job.cost(), true);
    let job = bench.take();
    assert!(bench.is_woken());
    assert!(bench.poll().is_ready());
    bench.queue.done(job.cost(), true);
    assert_eq!(bench.metrics.queue_bytes.get(), 0);
    assert_eq!(bench.losses.counts(), crate::store::Totals::default());
}

#[test]
fn under_load_nothing_is_lost_even_when_relays_overshoot() {
    let bench = Bench::new(10_000);
    for _ in 0..10 {
        bench.queue.submit(record(50_000));
    }
    for _ in 0..10 {
        bench.clock.advance(PATIENCE - Duration::from_millis(1));
        let job = bench.take();
        assert_eq!((body_of(&job), job.stripped), (50_000, false));
        bench.queue.done(job.cost(), true);
    }
}

#[test]
fn without_progress_for_five_seconds_traffic_goes_on_and_bodies_are_lost() {
    let bench = Bench::new(50_000);
    bench.clock.advance(Duration::from_secs(60));
    bench.queue.submit(record(60_000));
    let hanging = bench.take();
    assert!(bench.poll().is_pending());
    bench.clock.advance(PATIENCE - Duration::from_millis(1));
    bench.queue.watch();
    assert!(!bench.is_woken() && bench.poll().is_pending() && !bench.losses.in_trouble());
    bench.clock.advance(Duration::from_millis(1));
    bench.queue.watch();
    assert!(bench.is_woken() && bench.poll().is_ready() && bench.losses.in_trouble() && bench.queue.is_stuck());

    bench.queue.submit(record(60_000));
    let id = exchange("/x", b"", b"").id;
    bench.queue.submit(Action::SpoolBody { id, response: true, at: Duration::ZERO, bytes: vec![0; 1_000_000] });
    assert_eq!(bench.losses.counts().bodies_lost, 1);
    assert_eq!(bench.metrics.bodies_lost.get(), 1);

    bench.queue.done(hanging.cost(), true);
    assert!(!bench.queue.is_stuck());
    let job = bench.take();
    assert_eq!((body_of(&job), job.stripped), (0, true));
    bench.queue.done(job.cost(), true);
    bench.queue.submit(record(60_000));
    assert_eq!(body_of(&bench.take()), 60_000, "whole again");
}

#[test]
fn records_without_bodies_are_not_counted_as_having_lost_them() {
    let bench = Bench::new(1);
    bench.queue.submit(record(0));
    bench.clock.advance(PATIENCE);
    bench.queue.submit(record(0));
    assert_eq!(bench.losses.counts().bodies_lost, 0);
    assert!(!bench.take().stripped && !bench.take().stripped);
}

#[test]
fn metadata_is_bounded_too_while_the_disk_is_stuck() {
    let bench = Bench::new(1);
    bench.queue.submit(record(0));
    bench.clock.advance(PATIENCE);
    let mut exchange = exchange("/x", b"", b"");
    exchange.request.head.fields.push(b"x-large", &vec![b'x'; METADATA_LIMIT / 2]);
    for _ in 0..3 {
        bench.queue.submit(Action::Finish(Box::new(exchange.clone())));
    }
    assert_eq!(bench.losses.counts().records_lost, 2);
    assert_eq!(bench.metrics.records_lost.get(), 2);
    assert!(bench.queue.bytes.load(Ordering::Relaxed) <= METADATA_LIMIT + 1);
}

#[test]
fn closing_ends_the_writer_after_the_last_job_and_counts_what_comes_later() {
    let bench = Bench::new(1_000);
    bench.queue.submit(record(10));
    bench.queue.close();
    bench.queue.submit(record(10));
    assert_eq!(bench.losses.counts().records_lost, 1);
    let job = bench.take();
    bench.queue.done(job.cost(), true);
    assert!(matches!(bench.queue.next(None), Next::Closed));
    assert!(bench.poll().is_ready(), "nobody waits for a queue that is closed");
    bench.queue.finish();
    assert_eq!(bench.queue.wait_finished(), Ok(()));
}

#[test]
fn closing_gives_up_on_a_disk_that_is_stuck() {
    let bench = Bench::new(1_000_000);
    bench.queue.submit(record(10));
    bench.queue.submit(record(10));
    let _hanging = bench.take();
    bench.queue.close();
    bench.clock.advance(PATIENCE);
    assert_eq!(bench.queue.wait_finished(), Err(2));
}

#[test]
fn a_writer_that_waits_is_woken_from_another_thread() {
    let bench = Arc::new(Bench::new(1_000_000));
    let writer = std::thread::spawn({
        let bench = bench.clone();
        move || {
            let mut sizes = Vec::new();
            while let Next::Job(job) = bench.queue.next(None) {
                sizes.push(body_of(&job));
                bench.queue.done(job.cost(), true);
            }
            sizes
        }
    });
    let sizes: Vec<usize> = (0..200).map(|n| 2 * n).collect();
    sizes.iter().for_each(|&size| bench.queue.submit(record(size)));
    bench.queue.close();
    assert_eq!(writer.join().unwrap(), sizes);
}
