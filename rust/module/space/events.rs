// SPDX-License-Identifier: GPL-2.0

//! What a space reports: events to the streams of its handles, and whether it is empty.

use super::{
    flags::Flag,
    Inner,
    Space, //
};
use crate::{
    binding::Binding,
    logic::Nr,
    process,
    stream::Event,
    table::TABLE,
    task::{
        current_process,
        TaskRef, //
    },
    uapi,
};
use kernel::sync::{
    poll::PollCondVar,
    rcu, //
};

impl Space {
    /// Returns what is signalled when a handle may have become ready.
    pub(crate) fn activity(&self) -> &PollCondVar {
        &self.activity
    }

    /// Returns whether no numbers are in use.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.lock().life.numbers() == 0
    }

    /// Returns whether the space is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.inner.lock().life.must_exist().is_err()
    }

    /// Returns whether the space ends with the process of number 1.
    pub(crate) fn has_init(&self) -> bool {
        self.flags.has(Flag::Init)
    }

    /// Reports the birth of a process by the calling task; a thread is none.
    pub(crate) fn report_fork(&self, binding: &Binding, guard: &rcu::Guard) {
        if !self.flags.has(Flag::Streamed) || binding.pid().process(guard).is_none() {
            return;
        }
        let parent = current_process(guard)
            .and_then(|parent| TABLE.find(parent, guard))
            .filter(|parent| parent.is_in(self) && parent.is_member());
        let event = Event {
            parent: parent.and_then(Binding::nr).map_or(0, Nr::get),
            ..self.event(uapi::PIDSPACE_EVENT_FORK, binding, guard)
        };
        self.emit(&self.inner.lock(), &event);
    }

    /// Reports that the process of `binding` runs another program.
    pub(crate) fn report_exec(&self, binding: &Binding, guard: &rcu::Guard) {
        if self.flags.has(Flag::Streamed) {
            let event = self.event(uapi::PIDSPACE_EVENT_EXEC, binding, guard);
            self.emit(&self.inner.lock(), &event);
        }
    }

    /// Takes notice that the process of `binding`, the calling one, has ended. Returns whether the
    /// space is to end with it.
    pub(crate) fn report_exit(
        &self,
        binding: &Binding,
        task: TaskRef<'_>,
        guard: &rcu::Guard,
    ) -> bool {
        if !self.flags.has_any(&[Flag::Streamed, Flag::Init]) {
            return false;
        }
        let inner = self.inner.lock();
        if binding.has_ended() {
            return false;
        }
        binding.set_ended();
        if self.flags.has(Flag::Streamed) {
            let report = process::report(task, guard);
            let event = Event {
                status: report.status,
                utime: report.cpu.user,
                stime: report.cpu.system,
                max_rss: report.max_rss,
                ..self.event(uapi::PIDSPACE_EVENT_EXIT, binding, guard)
            };
            self.emit(&inner, &event);
        }
        self.has_init() && binding.nr() == Some(Nr::FIRST)
    }

    /// Expects the lock held. The caller notifies who waits.
    pub(super) fn report_adoption(&self, claim: &Binding, inner: &Inner, guard: &rcu::Guard) {
        let is_process = claim.pid().process(guard).is_some();
        if self.flags.has(Flag::Streamed) && is_process && !claim.has_ended() {
            inner.emit(&self.event(uapi::PIDSPACE_EVENT_ADOPT, claim, guard));
        }
    }

    /// Tells who waits for a birth that there may be none, and everybody when the space is empty.
    /// Expects the lock held.
    pub(super) fn after_release(&self, inner: &mut Inner) {
        if self.flags.has(Flag::Broadcasting) {
            self.changed.notify_all();
        }
        if inner.life.numbers() != 0 {
            return;
        }
        if inner.populated {
            inner.populated = false;
            inner.emit(&Event {
                type_: uapi::PIDSPACE_EVENT_EMPTY,
                time: process::monotonic_ns(),
                ..Event::default()
            });
        }
        self.activity.notify_all();
    }

    fn event(&self, kind: u32, binding: &Binding, guard: &rcu::Guard) -> Event {
        Event {
            type_: kind,
            nr: binding.nr().map_or(0, Nr::get),
            global: binding.pid().nr_in(&self.ns),
            generation: binding.generation(),
            time: process::monotonic_ns(),
            comm: binding
                .pid()
                .process(guard)
                .map_or([0; _], process::command),
            ..Event::default()
        }
    }

    fn emit(&self, inner: &Inner, event: &Event) {
        inner.emit(event);
        self.activity.notify_all();
    }
}

impl Inner {
    /// Writes `event` to every stream. The caller notifies who waits.
    fn emit(&self, event: &Event) {
        for stream in &self.streams {
            stream.push(*event);
        }
    }
}
