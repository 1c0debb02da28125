public import SegNetData
import SegNetImages
internal import SegNetPlatform

/// One data set of a recipe that trains on several: an entry of `datasets`.
public struct DatasetEntry: Sendable, Hashable {
    public var kind: DatasetKind
    /// The data set's folder.
    public var data = "."
    /// The pictures to learn from: a split, or list files in the folder (names that end in `.txt`).
    public var train = ["train"]
    /// The pictures to validate on, likewise; `none` for none. Nil: `val` for the first entry if no other names any, else none.
    public var validation: String?
    /// How much of each batch comes from here, relative to the other entries. Nil: as many as it has pictures; all entries have it, or
    /// none.
    public var share: Double?
    /// The classes that its labels can name, where these are some only; empty: all.
    public var labelled: [String] = []
    /// Whether labels are painted in the colours of the classes.
    public var colored = false
    /// Label numbers without meaning, in addition to the data set's own.
    public var ignore: [UInt16] = []
    /// Added to every label number, below 0: -1 for labels that count 1...K, with 0 for void.
    public var labelOffset: Int?
    /// Suffix of a label file's name, after the picture's; nil for none.
    public var labelSuffix: String?
    /// The class of pixels that no annotation covers; nil for void.
    public var unlabelled: String?
    /// Labels that mean another class: number or name, to number, name or `void`.
    public var map: [String: String] = [:]
    /// A class table by name, or a file; nil: the data set's own.
    public var classes: String?
    /// How many streets are rendered.
    public var count = DatasetOptions().count

    public init(_ kind: DatasetKind, data: String = ".") {
        self.kind = kind
        self.data = data
    }
}

/// Other shares from a part of a training on: an entry of `phases`.
public struct TrainingPhase: Sendable, Hashable {
    /// The part of the steps after which it begins, above 0 and below 1.
    public var from: Double
    /// One per data set, relative to each other; 0 leaves a data set out.
    public var shares: [Double]

    public init(from: Double, shares: [Double]) {
        self.from = from
        self.shares = shares
    }
}

extension TrainingConfiguration {
    /// The data sets of a recipe: those of `datasets`, or the one of `dataset` and `data`.
    struct Sources {
        var pool: DatasetPool
        var validation: [DatasetPool.Item]
    }

    /// The share of the training pictures that validates where the data set has no `val`: no picture is taken away for a validation that
    /// does not happen, or that is on another split.
    package var usedValidationShare: Double { validationSplit == Self.standard.validationSplit ? validationShare : 0 }

    /// Finds the pictures of all data sets.
    /// - Throws: `ConfigurationError` or `DatasetError` naming the entry, what was found, what to do.
    func sources() throws -> Sources {
        guard !datasets.isEmpty else {
            var options = try options(
                colored: colored,
                ignore: ignore,
                labelOffset: labelOffset,
                map: map,
                classes: classes,
                count: count,
                of: self
            )
            options.validationShare = usedValidationShare
            let dataset = try Dataset.load(dataset, directory: data, options: options)
            return try sources(dataset)
        }
        var pool = DatasetPool(sources: [])
        var validation: [DatasetPool.Item] = []
        // "none" says of one entry that it does not validate, and nothing of the first.
        let isImplicit = datasets.allSatisfy { [nil, "none"].contains($0.validation) }
        for (index, entry) in datasets.enumerated() {
            let wanted = entry.validation ?? (isImplicit && index == 0 ? "val" : "none")
            let title = title(index)
            let source: DatasetPool.Source
            do {
                source = try self.source(entry, validation: wanted, title: title)
            } catch let error as DatasetError {
                throw ConfigurationError("\(title): \(Self.inRecipe(error.description))")
            }
            pool.sources.append(source)
            if let first = pool.sources.first, index > 0 { try Self.check(source, first, title) }
            guard wanted != "none" else { continue }
            let split = wanted.hasSuffix(".txt") ? "val" : wanted
            guard let samples = source.dataset.splits[split], !samples.isEmpty else {
                // A first entry that was not asked for one need not have any.
                guard entry.validation != nil else { continue }
                let names = source.dataset.splits.filter { !$0.value.isEmpty }.keys.sorted().joined(separator: ", ")
                throw ConfigurationError(
                    "\(title): has no split '\(split)' to validate on; it has \(names). Give val one of these, a list file, or none."
                )
            }
            validation += samples.map { DatasetPool.Item(source: index, sample: $0) }
        }
        let total = pool.sources.reduce(0) { $0 + $1.samples.count }
        for index in pool.sources.indices where datasets[index].share == nil {
            pool.sources[index].share = Double(pool.sources[index].samples.count) / Double(max(1, total))
        }
        return Sources(pool: pool, validation: validation)
    }

    /// One data set that is there already.
    /// - Throws: `DatasetError` if it has no pictures to learn from; `ConfigurationError` if it lacks a split to validate on that was asked
    ///   for: any other than the default, which need not be there, and `none`.
    func sources(_ dataset: Dataset) throws -> Sources {
        let samples = try dataset.samples(of: trainSplit)
        let judging = dataset.splits[validationSplit] ?? []
        guard !judging.isEmpty || [Self.standard.validationSplit, "none"].contains(validationSplit) else {
            throw ConfigurationError(
                "validation-split: data set '\(dataset.name)' has no split '\(validationSplit)'; it has "
                    + "\(dataset.splits.filter { !$0.value.isEmpty }.keys.sorted().joined(separator: ", ")). "
                    + "Give one of these or 'none', or leave it out."
            )
        }
        return Sources(
            pool: DatasetPool(dataset, samples: samples),
            validation: judging.map { DatasetPool.Item(source: 0, sample: $0) }
        )
    }

    /// Where the shares change, counted in pictures.
    func phases(totalSteps: Int) -> [DatasetPool.Phase] {
        phases.map { phase in
            let steps = Int((phase.from * Double(totalSteps)).rounded())
            return DatasetPool.Phase(start: steps * batchSize * accumulate, shares: phase.shares)
        }
    }

    /// The name of an entry in messages.
    func title(_ index: Int) -> String {
        let entry = datasets[index]
        return "datasets, entry \(index + 1) (\(entry.kind == .synthetic ? entry.kind.rawValue : entry.data))"
    }

    private func source(_ entry: DatasetEntry, validation: String, title: String) throws -> DatasetPool.Source {
        var options = try options(
            colored: entry.colored,
            ignore: entry.ignore,
            labelOffset: entry.labelOffset,
            map: entry.map,
            classes: entry.classes,
            count: entry.count,
            of: entry
        )
        let lists = entry.train.filter { $0.hasSuffix(".txt") }
        if !lists.isEmpty { options.lists["train"] = lists }
        if validation.hasSuffix(".txt") { options.lists["val"] = [validation] }
        // No training picture is taken away for a validation that does not happen.
        if validation != "val" { (options.validationShare, options.folds, options.fold) = (0, 0, 1) }
        var dataset = try Dataset.load(entry.kind, directory: entry.data, options: options)
        // Entries of one folder are told apart by their lists.
        if !lists.isEmpty { dataset.name = lists.map { String($0.dropLast(4)) }.joined(separator: "+") }
        let samples = try dataset.samples(of: lists.isEmpty ? entry.train[0] : "train")
        var source = DatasetPool.Source(dataset, samples: samples, share: entry.share ?? 1)
        do throws(DatasetError) { source.namedClasses = try dataset.namedClasses(entry.labelled) } catch {
            throw ConfigurationError("\(title): labelled: \(error)")
        }
        return source
    }

    private func options(
        colored: Bool,
        ignore: [UInt16],
        labelOffset: Int?,
        map: [String: String],
        classes: String?,
        count: Int,
        of labels: some LabelSettings
    ) throws -> DatasetOptions {
        var options = DatasetOptions()
        options.count = count
        options.isColored = colored
        options.ignored = ignore
        options.labelOffset = labelOffset ?? 0
        options.labelSuffix = labels.labelSuffix ?? ""
        options.unlabelled = labels.unlabelled
        // Without folds the number of one changes nothing, as `unusedSettings` tells.
        if folds > 0 { (options.folds, options.fold) = (folds, fold) }
        options.changes = try map.sorted { $0.key < $1.key }.map { old, new throws(DatasetError) in
            try LabelChange("\(old)=\(new)")
        }
        options.inputs = inputs
        options.classes = try classes.map { try ClassTable(namedOrIn: $0) }
        options.seed = seed
        options.validationShare = validationShare
        options.size = size
        return options
    }

    private static func check(
        _ source: DatasetPool.Source,
        _ first: DatasetPool.Source,
        _ title: String
    ) throws(ConfigurationError) {
        func names(_ source: DatasetPool.Source) -> [String] { source.dataset.classes.classes.map(\.name) }
        let (own, others) = (names(source), names(first))
        guard own != others else { return }
        throw ConfigurationError(
            "\(title): has the \(own.count) classes \(own.joined(separator: ", ")); entry 1 has the \(others.count) classes "
                + "\(others.joined(separator: ", ")). A network learns a single table of classes: give all entries the "
                + "same 'classes', and use 'map' for labels whose numbers mean something else."
        )
    }

    /// A data set's error with the entry's keys in place of the words for options.
    static func inRecipe(_ text: String) -> String {
        let keys: [(UserChoice, String)] = [
            (.dataset, "'kind'"), (.data, "'data'"), (.classes, "'classes'"), (.labelChange, "'map'"),
            (.ignoredLabels, "'ignore'"), (.labelOffset, "'label-offset'"), (.inputs, "'inputs'"),
            (.labelSuffix, "'label-suffix'"), (.unlabelled, "'unlabelled'"), (.coloredLabels, "'colored'"),
        ]
        return keys.reduce(text) { $0.replacing($1.0.rawValue, with: $1.1) }
    }

    /// Checks `datasets` and `phases` by themselves, without looking at files.
    func checkDatasets() throws(ConfigurationError) {
        func need(_ condition: Bool, _ text: String) throws(ConfigurationError) {
            if !condition { throw ConfigurationError(text) }
        }
        for (index, entry) in datasets.enumerated() {
            try need(
                (entry.share == nil) == (datasets[0].share == nil),
                "\(title(index)): \(entry.share == nil ? "has no share, entry 1 has one" : "has a share, entry 1 has none"); give all "
                    + "entries a share, or none of them (then each counts by its number of pictures)."
            )
        }
        try need(
            augmentation.paste == 0 || !augmentation.pasteClasses.isEmpty,
            "augmentation.paste-classes: names no class, but augmentation.paste is \(augmentation.paste); name the classes to paste, such as "
                + "[Pole, Bicyclist], or leave paste out."
        )
        let shares = datasets.map { $0.share ?? 1 }
        try need(
            datasets.isEmpty || shares.contains { $0 > 0 },
            "datasets: all shares are 0; give at least one entry a share above 0."
        )
        try need(
            phases.isEmpty || !datasets.isEmpty,
            "phases: change the shares of several data sets; list these under 'datasets', or remove 'phases'."
        )
        var last = 0.0
        for (index, phase) in phases.enumerated() {
            let name = "phases, entry \(index + 1)"
            try need(
                phase.from > last,
                "\(name): from: has to be above that of the entry before (\(last)); found \(phase.from)."
            )
            last = phase.from
            try need(
                phase.shares.count == datasets.count,
                "\(name): shares: needs one number for each of the \(datasets.count) data sets; found \(phase.shares.count)."
            )
            try need(
                phase.shares.contains { $0 > 0 },
                "\(name): shares: all are 0; give at least one data set a share above 0."
            )
        }
    }
}
