// SPDX-License-Identifier: GPL-2.0

//! RCU. Each thread has a mutex that it holds while it reads. A grace period has ended when the mutex
//! of everybody was free once, whoever has begun to read since.

use crate::{atomic, bindings::callback_head, heap};
use loom::{
    sync::{
        mpsc::{channel, Receiver, Sender},
        Mutex, MutexGuard,
    },
    thread::{self, ThreadId},
};
use std::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
    rc::Rc,
};

type Callback = unsafe extern "C" fn(*mut callback_head);

enum Request {
    Call(*mut callback_head, Callback),
    Free(usize),
    /// A thread has ended.
    Ended,
}

struct Reader {
    id: Option<ThreadId>,
    depth: usize,
    mutex: &'static Mutex<()>,
    held: Option<MutexGuard<'static, ()>>,
}

/// What there is while one order is tried.
struct Rcu {
    readers: RefCell<Vec<Reader>>,
    sender: Sender<Request>,
    receiver: Receiver<Request>,
    waiting: Cell<usize>,
    heads: RefCell<Vec<*mut callback_head>>,
}

thread_local! {
    // All threads of a model are one to the operating system. When a test fails, loom has ended before
    // this thread does, and cannot have it dropped.
    static RCU: RefCell<Option<ManuallyDrop<Rc<Rcu>>>> = const { RefCell::new(None) };
}

fn rcu() -> Rc<Rcu> {
    RCU.with_borrow(|rcu| Rc::clone(rcu.as_ref().expect("called in a model")))
}

impl Rcu {
    fn new(threads: usize) -> Self {
        let reader = |_| Reader {
            id: None,
            depth: 0,
            mutex: Box::leak(Box::default()),
            held: None,
        };
        let (sender, receiver) = channel();
        Self {
            readers: RefCell::new((0..threads).map(reader).collect()),
            sender,
            receiver,
            waiting: Cell::new(0),
            heads: RefCell::default(),
        }
    }

    /// Makes the caller one of the readers.
    fn enlist(&self, number: usize) {
        self.readers.borrow_mut()[number].id = Some(thread::current().id());
    }

    fn with_reader<R>(&self, act: impl FnOnce(&mut Reader) -> R) -> R {
        let id = Some(thread::current().id());
        let mut readers = self.readers.borrow_mut();
        act(readers
            .iter_mut()
            .find(|reader| reader.id == id)
            .expect("enlisted"))
    }

    fn send(&self, request: Request) {
        self.waiting.set(self.waiting.get() + 1);
        let _ = self.sender.send(request);
    }

    fn wait_for_readers(&self) {
        let threads = self.readers.borrow().len();
        for number in 0..threads {
            let mutex = self.readers.borrow()[number].mutex;
            drop(mutex.lock());
        }
    }

    /// Does what is to be done next. Returns whether that was a thread's end.
    fn step(&self) -> bool {
        let request = self.receiver.recv().expect("there is a sender here");
        self.waiting.set(self.waiting.get() - 1);
        if !matches!(request, Request::Ended) {
            self.wait_for_readers();
        }
        match request {
            Request::Call(head, callback) => {
                self.heads.borrow_mut().retain(|&other| other != head);
                // SAFETY: Whoever asked for it has promised so.
                unsafe { callback(head) };
            }
            Request::Free(address) => heap::free(address),
            Request::Ended => return true,
        }
        false
    }
}

impl Drop for Rcu {
    fn drop(&mut self) {
        for reader in self.readers.take() {
            // SAFETY: It comes from a box, and nobody holds it or waits for it any more.
            drop(unsafe { Box::from_raw(std::ptr::from_ref(reader.mutex).cast_mut()) });
        }
    }
}

/// A critical section.
pub struct Guard {
    _private: (),
}

/// Begins a critical section, as `rcu_read_lock()`.
pub fn read_lock() -> Guard {
    let rcu = rcu();
    let mutex = rcu.with_reader(|reader| {
        reader.depth += 1;
        (reader.depth == 1).then_some(reader.mutex)
    });
    if let Some(mutex) = mutex {
        let held = mutex.lock().ok();
        rcu.with_reader(|reader| reader.held = held);
    }
    Guard { _private: () }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Loom has ended then.
        if std::thread::panicking() {
            return;
        }
        let held = rcu().with_reader(|reader| {
            reader.depth -= 1;
            reader.held.take_if(|_| reader.depth == 0)
        });
        drop(held);
    }
}

/// Has `callback` called with `head` after a grace period, as `call_rcu()`.
///
/// # Safety
///
/// It may be called with it then.
pub unsafe fn call_rcu(head: *mut callback_head, callback: Callback) {
    let rcu = rcu();
    let twice = rcu.heads.borrow().contains(&head);
    assert!(!twice, "the head is in use");
    rcu.heads.borrow_mut().push(head);
    rcu.send(Request::Call(head, callback));
}

/// Returns how many callbacks are to be called yet.
pub fn callbacks() -> usize {
    rcu().heads.borrow().len()
}

/// Frees an object after a grace period, as `kfree_rcu()`.
///
/// # Safety
///
/// It must come from [`KBox::into_raw`](crate::prelude::KBox::into_raw).
pub unsafe fn kfree_rcu<T>(object: *mut T) {
    rcu().send(Request::Free(object.addr()));
}

/// Does all that waits now, as `rcu_barrier()`.
pub fn rcu_barrier() {
    let rcu = rcu();
    for _ in 0..rcu.waiting.get() {
        rcu.step();
    }
}

/// How often a thread is interrupted at most where it does not wait, unless `LOOM_MAX_PREEMPTIONS` says
/// something else: with two more it takes ten times as long.
const PREEMPTIONS: usize = 4;

/// Tries `threads` in every order, after `before` and followed by `after`, each time with the memory
/// that there was at first. The thread of those two does what waits for grace periods meanwhile.
pub fn model<const N: usize>(before: fn(), threads: [fn(); N], after: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(PREEMPTIONS));
    builder.check(move || {
        RCU.set(Some(ManuallyDrop::new(Rc::new(Rcu::new(N + 1)))));
        let rcu = rcu();
        rcu.enlist(0);
        before();
        rcu_barrier();
        for (number, act) in threads.into_iter().enumerate() {
            thread::spawn(move || {
                self::rcu().enlist(number + 1);
                act();
                self::rcu().send(Request::Ended);
            });
        }
        let mut running = N;
        while running > 0 {
            running -= usize::from(rcu.step());
        }
        after();
        rcu_barrier();
        assert_eq!(heap::in_use(), 0, "not freed");
        drop(rcu);
        RCU.take().map(ManuallyDrop::into_inner);
        atomic::reset();
        heap::reset();
    });
}
