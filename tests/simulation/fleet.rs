//! Processes, their VMs and plugins, and the streams to them: how they start, act, crash and are replaced.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use token_endpoint::runtime::{Flow, HttpStream, Plugin, ThreadState, Worker};

use super::{agenda::Event, host::SimulatedHost, invariants, request::Request, traffic, world::World};

#[derive(Default)]
pub struct Fleet {
    pub plugins: RefCell<BTreeMap<u32, Instance>>,
    pub vms: RefCell<Vec<Vm>>,
    streams: RefCell<BTreeMap<u32, Stream>>,
    plugins_made: Cell<u32>,
    streams_made: Cell<u32>,
}

/// A worker thread's VM, and its newest plugin.
#[derive(Clone)]
pub struct Vm {
    pub process: usize,
    pub plugin: u32,
    thread: Rc<ThreadState>,
}

/// A plugin; there are two in a VM while an older one drains.
#[derive(Clone)]
pub struct Instance {
    pub host: SimulatedHost,
    pub vm: usize,
    pub process: usize,
    pub variant: usize,
    worker: Rc<RefCell<Worker<SimulatedHost>>>,
}

/// A request on its way.
pub struct Stream {
    plugin: u32,
    http_stream: HttpStream<SimulatedHost>,
    request: Request,
}

pub const WORKERS: usize = 4;

impl World {
    pub fn start(self: &Rc<Self>) {
        let share = WORKERS / self.processes.len();
        for process in 0..self.processes.len() {
            self.start_main_thread(process, 0);
            for _ in 0..share {
                let vm = self.fleet.vms.borrow().len();
                let thread = Rc::<ThreadState>::default();
                let plugin = self.configure(&thread, vm, process, 0);
                self.fleet.vms.borrow_mut().push(Vm { process, plugin, thread });
            }
        }
    }

    /// Two VMs that serve nobody come before those of the workers.
    fn start_main_thread(self: &Rc<Self>, process: usize, variant: usize) {
        for _ in 0..2 {
            let plugin = self.configure(&Rc::default(), usize::MAX, process, variant);
            self.fleet.plugins.borrow_mut().remove(&plugin);
        }
    }

    fn configure(self: &Rc<Self>, thread: &Rc<ThreadState>, vm: usize, process: usize, variant: usize) -> u32 {
        let id = self.fleet.plugins_made.get() + 1;
        self.fleet.plugins_made.set(id);
        let host = SimulatedHost::new(self, id, process);
        let document = self.settings.document(variant);
        let plugin = Plugin::configure(host.clone(), Rc::clone(thread), document.as_bytes(), &|_| None);
        let Some(Plugin::TokenEndpoint(worker)) = plugin else { panic!("refused: {document}") };
        self.fleet.plugins.borrow_mut().insert(id, Instance { host, vm, process, variant, worker });
        id
    }

    /// Every plugin of a process is replaced by one of another configuration; the old ones drain.
    pub fn reload(self: &Rc<Self>, process: usize) {
        let vms = self.fleet.vms.borrow().clone();
        for (at, vm) in vms.iter().enumerate().filter(|(_, vm)| vm.process == process) {
            let variant = 1 - self.instance(vm.plugin).map_or(1, |instance| instance.variant);
            let plugin = self.configure(&vm.thread, at, process, variant);
            self.fleet.vms.borrow_mut()[at].plugin = plugin;
        }
    }

    /// A VM is gone with all its plugins, and another one starts in its place.
    pub fn crash(self: &Rc<Self>, vm: usize) {
        let Vm { process, plugin, .. } = self.fleet.vms.borrow()[vm].clone();
        let variant = self.instance(plugin).map_or(0, |instance| instance.variant);
        let dead = self
            .fleet
            .plugins
            .borrow()
            .iter()
            .filter(|(_, instance)| instance.vm == vm)
            .map(|(id, _)| *id)
            .collect::<Vec<_>>();
        dead.into_iter().for_each(|plugin| self.bury(plugin));
        let thread = Rc::<ThreadState>::default();
        let plugin = self.configure(&thread, vm, process, variant);
        self.fleet.vms.borrow_mut()[vm] = Vm { process, plugin, thread };
    }

    /// A process is gone with all that its workers share, and starts again.
    pub fn restart(self: &Rc<Self>, process: usize) {
        self.processes[process].shared.borrow_mut().clear();
        self.processes[process].starts.set(self.processes[process].starts.get() + 1);
        let vms = self.fleet.vms.borrow().clone();
        self.start_main_thread(process, 0);
        vms.iter().enumerate().filter(|(_, vm)| vm.process == process).for_each(|(at, _)| self.crash(at));
    }

    fn bury(&self, plugin: u32) {
        let Some(instance) = self.fleet.plugins.borrow_mut().remove(&plugin) else { return };
        instance.host.die();
        for stream in self.streams_of(plugin) {
            self.close(stream);
            if self.open.borrow_mut().remove(&stream) {
                self.model.borrow_mut().over_without_answer(stream, self);
            }
        }
    }

    fn streams_of(&self, plugin: u32) -> Vec<u32> {
        let streams = self.fleet.streams.borrow();
        streams.iter().filter(|(_, stream)| stream.plugin == plugin).map(|(id, _)| *id).collect()
    }

    pub fn instance(&self, plugin: u32) -> Option<Instance> {
        self.fleet.plugins.borrow().get(&plugin).cloned()
    }

    /// The number that the next stream gets.
    pub fn next_stream(&self) -> u32 {
        self.fleet.streams_made.set(self.fleet.streams_made.get() + 1);
        self.fleet.streams_made.get()
    }

    /// Sends the headers of a request; its body follows.
    pub fn open(self: &Rc<Self>, id: u32, plugin: u32, request: Request) {
        let instance = self.instance(plugin).unwrap();
        self.open.borrow_mut().insert(id);
        let mut http_stream = HttpStream::new(id, Rc::clone(&instance.worker));
        let has_body = !request.body.is_empty();
        let flow = http_stream.on_headers(&request, !has_body);
        assert_eq!(flow, Flow::Pause, "{} is a path of the endpoint", request.path);
        if has_body {
            self.later(Duration::from_micros(self.chance.below(3000)), Event::Body(id));
        }
        self.fleet.streams.borrow_mut().insert(id, Stream { plugin, http_stream, request });
    }

    /// Something happens.
    pub fn act(self: &Rc<Self>, event: Event) {
        match event {
            Event::Traffic => traffic::next(self),
            Event::Body(stream) => self.body(stream),
            Event::Leave(stream) => self.leave(stream),
            Event::Woken(plugin) => self.turn(plugin, "woken", |instance, worker| {
                instance.host.take_wake();
                worker.on_woken();
            }),
            Event::Tick(plugin, timer) => {
                let Some(instance) = self.instance(plugin).filter(|instance| instance.host.is_timer(timer)) else {
                    return;
                };
                self.turn(plugin, "tick", |_, worker| worker.on_tick());
                instance.host.rewind(timer);
            }
            Event::Arrive(call) => {
                self.note(|| {
                    format!("call {} of plugin {} reaches {} {}", call.id, call.plugin, call.cluster, call.path)
                });
                self.arrive(call);
            }
            Event::Answered(plugin, call, answer) => self.turn(plugin, "answer", |instance, worker| {
                let length = answer.body.len();
                self.note(|| {
                    format!(
                        "call {call} of plugin {plugin} is answered {:?}",
                        answer.headers.first().map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                    )
                });
                instance.host.with_answer(call, answer, || worker.on_call_answered(call, length));
            }),
            Event::Fault => self.fault(),
            Event::Heal(healing) => self.heal(healing),
        }
    }

    fn turn(&self, plugin: u32, why: &str, act: impl FnOnce(&Instance, &mut Worker<SimulatedHost>)) {
        let Some(instance) = self.instance(plugin) else { return };
        instance.host.take_busy();
        act(&instance, &mut instance.worker.borrow_mut());
        invariants::slice(self, plugin, why, instance.host.take_busy());
    }

    fn body(&self, stream: u32) {
        let Some(mut open) = self.fleet.streams.borrow_mut().remove(&stream) else { return };
        self.model.borrow_mut().is_whole(stream);
        open.http_stream.on_body(&open.request, open.request.body.len(), true);
        self.fleet.streams.borrow_mut().insert(stream, open);
    }

    fn leave(&self, stream: u32) {
        if self.open.borrow_mut().remove(&stream) {
            self.note(|| format!("the caller of {stream} goes away"));
            self.count("fault: a caller who goes away");
            self.close(stream);
            self.model.borrow_mut().over_without_answer(stream, self);
        }
    }

    /// The stream is over for its host.
    pub fn close(&self, stream: u32) {
        let closed = self.fleet.streams.borrow_mut().remove(&stream);
        drop(closed);
    }

    /// Plugins that were replaced and have nobody left to serve end.
    pub fn retire(&self) {
        let current: Vec<u32> = self.fleet.vms.borrow().iter().map(|vm| vm.plugin).collect();
        let old: Vec<u32> = self.fleet.plugins.borrow().keys().filter(|id| !current.contains(id)).copied().collect();
        for plugin in old.into_iter().filter(|plugin| self.streams_of(*plugin).is_empty()) {
            let retired = self.fleet.plugins.borrow_mut().remove(&plugin);
            drop(retired);
        }
    }

    /// Breaks the circle of what holds each other.
    pub fn end(&self) {
        let streams = self.fleet.streams.take();
        drop(streams);
        let plugins = self.fleet.plugins.take();
        drop(plugins);
    }
}
