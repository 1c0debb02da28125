import CSegNetKernels
import SegNetPlatform
import Synchronization

/// A chain of steps, each of which alone reads what the one before it wrote, run in bands: of the maps between them a few rows
/// exist at a time. docs/kernels.md, Bands and rings, has a picture of it.
///
/// All groups of rows of all steps are in one list, each after the groups that it reads and after those whose rows it
/// overwrites. Threads take items from the front of the list, and wait for whatever is not done yet. An item waits only for items
/// before it, so some thread is always at work. No row is computed twice, and nobody waits at the end of a band.
struct BandStep: Step {
    /// A step of the chain.
    struct Link: Sendable {
        let step: any RowLocalStep
        let groups: RowGroups
        /// From the link before; nil for the first.
        let flow: RowFlow?
        /// The counter of its first group, among those of all links.
        let firstCounter: Int
        /// Where the step's scratch lies within the chain's.
        let sharedOffset: Int
    }

    /// A group's place in the list of all items.
    private struct Entry: Sendable {
        var link: Int
        var group: Int
        var firstItem: Int
    }

    let links: [Link]
    /// Names of the nodes that the links come from.
    let names: [String]
    let forwardScratch: ScratchBytes
    private let counters: Int
    private let entries: [Entry]
    private let itemCount: Int

    /// - Parameter chain: Each step with its groups and the flow from the step before it.
    init(_ chain: [(name: String, step: any RowLocalStep, groups: RowGroups, flow: RowFlow?)]) {
        names = chain.map(\.name)
        var links: [Link] = []
        var counter = 0
        let counterBytes = (chain.reduce(0) { $0 + $1.groups.count } * MemoryLayout<Atomic<Int>>.stride + 63) / 64 * 64
        var offset = counterBytes
        for (_, step, groups, flow) in chain {
            links.append(Link(step: step, groups: groups, flow: flow, firstCounter: counter, sharedOffset: offset))
            counter += groups.count
            offset += (step.forwardScratch.shared + 63) / 64 * 64 + 64
        }
        self.links = links
        counters = counter
        forwardScratch = ScratchBytes(shared: offset, thread: chain.map(\.step.forwardScratch.thread).max() ?? 0)
        (entries, itemCount) = Self.order(links)
    }

    private static func order(_ links: [Link]) -> (entries: [Entry], itemCount: Int) {
        var entries: [Entry] = []
        var items = 0
        var listed = Array(repeating: 0, count: links.count)
        func list(_ link: Int, upTo end: Int) {
            let groups = links[link].groups
            while listed[link] < min(end, groups.count) {
                let group = listed[link]
                if let flow = links[link].flow {
                    let ahead = min(groups.count - 1, group + flow.ahead)
                    list(link - 1, upTo: flow.needs[ahead].upperBound)
                }
                entries.append(Entry(link: link, group: group, firstItem: items))
                items += groups.items
                listed[link] += 1
            }
        }
        for link in links.indices.reversed() { list(link, upTo: .max) }
        return (entries, items)
    }

    /// The entry that an item belongs to: the last one that does not begin behind it.
    private func entry(of item: Int) -> Entry {
        var (low, high) = (0, entries.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if entries[middle].firstItem <= item { low = middle } else { high = middle }
        }
        return entries[low]
    }

    func forward(_ run: Run) {
        let done = run.crew.shared.bindMemory(to: Atomic<Int>.self, capacity: counters)
        for index in 0..<counters { (done + index).initialize(to: Atomic(0)) }
        let bodies = links.map { $0.step.begin(run.sharing(run.crew.shared + $0.sharedOffset)) }

        func wait(for groups: Range<Int>, of link: Link) {
            for group in groups {
                let counter = done + link.firstCounter + group
                var spun = 0
                while counter.pointee.load(ordering: .acquiring) < link.groups.items {
                    spun += 1
                    // Whoever is at it may have lost its core to another process.
                    if spun > Self.spins { sched_yield() } else { sn_pause() }
                }
            }
        }
        run.pool.forEach(itemCount) { worker, index in
            let entry = entry(of: index)
            let (link, group) = (entry.link, entry.group)
            if let flow = links[link].flow { wait(for: flow.needs[group], of: links[link - 1]) }
            if link + 1 < links.count, let flow = links[link + 1].flow {
                wait(for: flow.frees[group], of: links[link + 1])
            }
            bodies[link](worker, group, index - entry.firstItem)
            (done + links[link].firstCounter + group).pointee.add(1, ordering: .releasing)
        }
    }

    /// Bands are for plans that only run.
    func backward(_ run: Run, _ gradients: Gradients) {}

    /// Some tens of microseconds: about half an item.
    private static let spins = 4000
}
