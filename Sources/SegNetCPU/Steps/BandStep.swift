import CSegNetKernels
import SegNetPlatform
import Synchronization

/// A chain of steps, each of which alone reads what the one before it wrote, run in bands: of the maps between them a few rows
/// exist at a time.
///
/// All groups of rows of all steps stand in one list, each behind the groups that it reads and behind those whose rows it
/// overwrites. Threads take items from the front of the list, and wait for whatever is not done yet; as an item waits only for items before it,
/// somebody is always at work. No row is computed twice, and nobody waits at the end of a band.
struct BandStep: Step {
    /// A step of the chain.
    struct Stage: Sendable {
        let step: any RowLocalStep
        let groups: RowGroups
        /// From the stage before; nil for the first.
        let flow: RowFlow?
        /// The counter of its first group, among those of all stages.
        let firstCounter: Int
        /// Where the step's scratch lies within the chain's.
        let sharedOffset: Int
    }

    /// A group's place in the list of all items.
    private struct Entry: Sendable {
        var stage: Int
        var group: Int
        var firstItem: Int
    }

    let stages: [Stage]
    /// Names of the nodes that the stages stem from.
    let names: [String]
    let forwardScratch: ScratchBytes
    private let counters: Int
    private let entries: [Entry]
    private let itemCount: Int

    /// - Parameter chain: Each step with its groups and the flow from the step before it.
    init(_ chain: [(name: String, step: any RowLocalStep, groups: RowGroups, flow: RowFlow?)]) {
        names = chain.map(\.name)
        var stages: [Stage] = []
        var counter = 0
        let counterBytes = (chain.reduce(0) { $0 + $1.groups.count } * MemoryLayout<Atomic<Int>>.stride + 63) / 64 * 64
        var offset = counterBytes
        for (_, step, groups, flow) in chain {
            stages.append(Stage(step: step, groups: groups, flow: flow, firstCounter: counter, sharedOffset: offset))
            counter += groups.count
            offset += (step.forwardScratch.shared + 63) / 64 * 64 + 64
        }
        self.stages = stages
        counters = counter
        forwardScratch = ScratchBytes(shared: offset, thread: chain.map(\.step.forwardScratch.thread).max() ?? 0)
        (entries, itemCount) = Self.order(stages)
    }

    private static func order(_ stages: [Stage]) -> (entries: [Entry], itemCount: Int) {
        var entries: [Entry] = []
        var items = 0
        var listed = Array(repeating: 0, count: stages.count)
        func list(_ stage: Int, upTo end: Int) {
            let groups = stages[stage].groups
            while listed[stage] < min(end, groups.count) {
                let group = listed[stage]
                if let flow = stages[stage].flow {
                    let ahead = min(groups.count - 1, group + flow.ahead)
                    list(stage - 1, upTo: flow.needs[ahead].upperBound)
                }
                entries.append(Entry(stage: stage, group: group, firstItem: items))
                items += groups.items
                listed[stage] += 1
            }
        }
        for stage in stages.indices.reversed() { list(stage, upTo: .max) }
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
        let bodies = stages.map { $0.step.begin(run.sharing(run.crew.shared + $0.sharedOffset)) }

        func wait(for groups: Range<Int>, of stage: Stage) {
            for group in groups {
                let counter = done + stage.firstCounter + group
                var spun = 0
                while counter.pointee.load(ordering: .acquiring) < stage.groups.items {
                    spun += 1
                    // Whoever is at it may have lost its core to another process.
                    if spun > Self.spins { yieldThread() } else { sn_pause() }
                }
            }
        }
        run.pool.forEach(itemCount) { worker, index in
            let entry = entry(of: index)
            let (stage, group) = (entry.stage, entry.group)
            if let flow = stages[stage].flow { wait(for: flow.needs[group], of: stages[stage - 1]) }
            if stage + 1 < stages.count, let flow = stages[stage + 1].flow {
                wait(for: flow.frees[group], of: stages[stage + 1])
            }
            bodies[stage](worker, group, index - entry.firstItem)
            (done + stages[stage].firstCounter + group).pointee.add(1, ordering: .releasing)
        }
    }

    /// Bands are for plans that only run.
    func backward(_ run: Run, _ gradients: Gradients) {}

    /// Some tens of microseconds: about half an item.
    private static let spins = 4000
}

private func yieldThread() { sched_yield() }
