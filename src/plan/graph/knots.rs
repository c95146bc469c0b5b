//! What leads back to itself, of anything that is made of others.

use petgraph::graphmap::{DiGraphMap, NodeTrait};

/// Strongly connected components: each behind those that its members lead to. Of one member, unless several lead to each other.
pub fn knots<'a, T: NodeTrait + 'a>(of: impl Iterator<Item = (T, &'a [T])>) -> Vec<Vec<T>> {
    let mut leads_to = DiGraphMap::<T, ()>::new();
    for (one, others) in of {
        leads_to.add_node(one);
        for other in others {
            leads_to.add_edge(one, *other, ());
        }
    }
    // Not the algorithm of Tarjan: that one recurses as deep as the longest way.
    petgraph::algo::kosaraju_scc(&leads_to)
}
