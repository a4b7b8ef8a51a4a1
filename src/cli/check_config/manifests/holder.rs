//! The second plugin, where the token endpoint leaves it to the next filter to hold the headers of a request.

use super::{
    super::{document::Tree, wasm::Form},
    finding::Finding,
    given::Given,
    phase::is_early,
    plugin::ManifestPlugin,
};
use crate::endpoint::route::Route;

/// A token endpoint and a holder for it.
struct Pair<'a> {
    endpoint: &'a ManifestPlugin<'a>,
    holder: &'a ManifestPlugin<'a>,
}

pub(crate) fn check(given: &Given) -> Vec<Finding> {
    let held = given.plugins.iter().filter(|plugin| plugin.is_held_for());
    held.filter(|plugin| plugin.wasm.form != Form::Filter).flat_map(|plugin| of_plugin(plugin, given)).collect()
}

/// The faults of the holder that has the fewest.
fn of_plugin(endpoint: &ManifestPlugin, given: &Given) -> Vec<Finding> {
    let holders = given.plugins.iter().filter(|plugin| plugin.is_holder());
    let pairs = holders.map(|holder| Pair { endpoint, holder }).filter(Pair::is_of_one_workload);
    pairs.map(|pair| pair.faults()).min_by_key(Vec::len).unwrap_or_else(|| vec![missing(endpoint)])
}

fn missing(endpoint: &ManifestPlugin) -> Finding {
    let what = if endpoint.wasm.form == Form::WasmPlugin {
        "next_filter, and no WasmPlugin with `hold` is given for the same namespace, selector, targetRefs and match: \
         headers of a login would go on to the service"
    } else {
        "next_filter, and no plugin with `hold` is in the list: headers of a login would go on to the service"
    };
    endpoint.document.error(&endpoint.setting("headers_held_by"), what)
}

impl Pair<'_> {
    fn is_of_one_workload(&self) -> bool {
        let Self { endpoint, holder } = self;
        match (endpoint.wasm.form, holder.wasm.form) {
            (Form::WasmPlugin, Form::WasmPlugin) => {
                let same = |name| json(endpoint, name) == json(holder, name);
                endpoint.document.may_be_beside(&holder.document)
                    && ["selector", "targetRef", "targetRefs", "match"].into_iter().all(same)
            }
            (Form::ExtensionPolicy, Form::ExtensionPolicy) => {
                std::ptr::eq(endpoint.document.tree, holder.document.tree)
            }
            _ => false,
        }
    }

    fn faults(&self) -> Vec<Finding> {
        let order = if self.holder.wasm.form == Form::WasmPlugin { self.order() } else { self.order_in_list() };
        order.into_iter().chain(self.paths()).collect()
    }

    /// Istio goes through phases, and in a phase the greater number first; one that isn't there is 0.
    fn order(&self) -> Option<Finding> {
        let Self { endpoint, holder } = self;
        let [before, after] = [endpoint, holder].map(|plugin| plugin.wasm.fields.text_at("phase"));
        let name = endpoint.document.label();
        if before != after && is_early(before) && is_early(after) {
            return Some(self.fault("phase", format!("another than that of {name}, right behind which it has to be")));
        }
        let what = format!("not lower than that of {name}, which has to be first: the greater number goes first");
        (priority(endpoint) <= priority(holder)).then(|| self.fault("priority", what))
    }

    fn order_in_list(&self) -> Option<Finding> {
        let [endpoint, holder] = [self.endpoint, self.holder].map(|plugin| {
            let list = plugin.document.tree.list("spec.wasm");
            list.iter().position(|element| std::ptr::eq(element, plugin.wasm.fields))
        });
        let what = "a plugin with `hold` before the token endpoint, behind which it has to be";
        (holder < endpoint).then(|| self.holder.document.error(&self.holder.wasm.path, what))
    }

    fn fault(&self, field: &str, what: String) -> Finding {
        self.holder.document.error(&self.holder.path(field), what)
    }

    /// Paths of requests with a body that aren't held.
    fn paths(&self) -> Option<Finding> {
        let held = self.holder.configuration.list("hold");
        let is_held = |path: &str| held.iter().any(|known| known.is(path));
        let posted = Route::WITH_SETTINGS.into_iter().filter(|(route, ..)| route.knows("POST"));
        let missing = posted.filter(|(_, name, default)| !is_held(self.path(name).unwrap_or(default)));
        let missing: Vec<_> = missing.map(|(_, name, _)| format!("paths.{name}")).collect();
        let (names, whose) = (missing.join(", "), self.endpoint.document.label());
        let what = format!("without {names} of {whose}: headers of requests there would go on to the service");
        (!missing.is_empty()).then(|| self.holder.document.error(&self.holder.setting("hold"), what))
    }

    fn path(&self, name: &str) -> Option<&str> {
        self.endpoint.configuration.at("paths")?.get(name)?.text()
    }
}

fn json(plugin: &ManifestPlugin, name: &str) -> Option<String> {
    plugin.wasm.fields.get(name).map(Tree::to_json)
}

fn priority(plugin: &ManifestPlugin) -> i64 {
    let priority = plugin.wasm.fields.get("priority").map(Tree::to_json);
    priority.and_then(|number| number.trim_matches('"').parse().ok()).unwrap_or_default()
}
