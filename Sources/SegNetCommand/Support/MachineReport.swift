import SegNetToolkit

/// What `segnet info --machine` prints.
struct MachineReport: Encodable {
    var machine: Machine
    /// The kernels in use.
    var activeInstructionSet: String

    init() throws {
        machine = .current
        activeInstructionSet = try InstructionSet.chosen().name
    }

    func print(json: Bool, on console: Console) throws {
        if json {
            console.print(try JSON.text(self))
            return
        }
        var table = TextTable([("", .left), ("", .left)])
        if let processor = machine.processor { table.append(["processor", processor]) }
        table.append(["cores", "\(machine.cores)"])
        let sets = machine.instructionSets.map { $0 == activeInstructionSet ? "\($0) (active)" : $0 }
        table.append(["instruction sets", sets.joined(separator: ", ")])
        for cache in machine.caches {
            let size = cache.bytes < 1 << 20 ? "\(cache.bytes >> 10) KiB" : Numbers.mebibytes(cache.bytes)
            table.append(["L\(cache.level) cache", "\(size) \(cache.kind)"])
        }
        if let memory = machine.memory {
            let available = machine.availableMemory.map { ", \(Numbers.mebibytes($0)) available" } ?? ""
            table.append(["memory", Numbers.mebibytes(memory) + available])
        }
        for line in table.lines.dropFirst() { console.print(line) }
    }
}
