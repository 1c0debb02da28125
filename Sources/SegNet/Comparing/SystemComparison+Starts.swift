internal import SegNetFormats
internal import SegNetPlatform
internal import SegNetTraining

//  Systems that begin with the model of another one. Which model that was is remembered in the system's folder (`start-from.json`): a model
//  that was retrained has the same name.

extension SystemComparison {
    /// The model with which a system's training begins.
    private struct StartingModel: Codable {
        /// The file's size, and when it was written (seconds since 1970): while these stay, so do the weights.
        var bytes: Int
        var written: Double
        /// CRC-32C of its weights. What else a model's file holds may change, such as the parameters of a CRF.
        var checksum: UInt32

        init(_ file: URL) throws {
            let subject = try ScoredSubject(file, conditions: "")
            (bytes, written) = (subject.modelBytes, subject.modelWritten)
            checksum = try Self.checksum(file)
        }

        private static func checksum(_ file: URL) throws(FormatError) -> UInt32 {
            try MappedFile(file).withBytes { bytes in
                var check = CRC32C()
                // The header of a safetensors file, whose length comes first, holds no weights.
                let header = bytes.count < 8 ? 0 : UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
                let start = header < UInt64(bytes.count) ? min(bytes.count, 8 + Int(header)) : 0
                check.add(UnsafeRawBufferPointer(rebasing: bytes[start...]))
                return check.checksum
            }
        }

        /// Whether a file holds the same weights. One that cannot be read is reported by who needs it.
        func isSame(as file: URL) -> Bool {
            guard let now = try? ScoredSubject(file, conditions: "") else { return true }
            if (now.modelBytes, now.modelWritten) == (bytes, written) { return true }
            return (try? Self.checksum(file)).map { $0 == checksum } ?? true
        }
    }

    /// The system with whose model another one begins; nil: none of the plan.
    package func start(of system: System) -> System? {
        system.entry.startFrom.flatMap { name in systems.first { $0.name == name && $0.trains } }
    }

    private func startFile(_ system: System) -> URL { system.runFolder.appending(path: "start-from.json") }

    private func startingModel(of system: System) -> StartingModel? {
        let data = FileManager.default.contents(atPath: startFile(system).path(percentEncoded: false))
        return data.flatMap { try? JSONDecoder().decode(StartingModel.self, from: $0) }
    }

    /// The change of the model that a system has begun with; nil: it is the same, is not there, or nobody knows what it was.
    func startChange(of system: System) -> Change? {
        guard let start = start(of: system), let model = startingModel(of: system) else { return nil }
        return model.isSame(as: start.futureModelFile) ? nil : .start(start.name)
    }

    /// Remembers the models with which trainings have begun, where that is unknown, before one of them is retrained.
    package func rememberStarts() throws {
        for system in systems where start(of: system) != nil {
            switch try state(of: system) {
            case .begun, .trained: try rememberStart(of: system, isBeginning: false)
            case .missing, .cutOff, .changed: continue
            }
        }
    }

    /// Remembers the model with which a system's training begins.
    ///
    /// A training that was begun elsewhere, or by an earlier version, is taken to have begun with the model that is there now.
    /// - Parameter isBeginning: Whether the training is to begin now; otherwise what is known already stays.
    func rememberStart(of system: System, isBeginning: Bool) throws {
        guard system.trains, let start = start(of: system), isBeginning || startingModel(of: system) == nil,
            let model = try? StartingModel(start.futureModelFile)
        else { return }
        try ScoredSubject.write(model, to: startFile(system))
    }
}
