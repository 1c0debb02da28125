import SegNetAnnotations
import SegNetImages
internal import SegNetPlatform

extension Dataset {
    /// A data set whose labels are drawn from annotations when they are read.
    ///
    /// The numbers in its label maps are those of the annotations' labels. The next number stands for unlabelled pixels, and the one after
    /// it for pixels that annotations declare to be void.
    static func annotated(
        _ kind: DatasetKind,
        _ path: String,
        _ options: DatasetOptions
    ) throws -> Dataset {
        let files = try AnnotationFiles(kind, path)
        var problems = files.set.problems
        let labels = files.set.labels
        guard labels.count < 65_000 else {
            throw DatasetError("\(path): has \(labels.count) labels; at most 65,000 can be read.")
        }
        var splits: [String: [Sample]] = [:]
        var seen: Set<String> = []
        for picture in files.set.pictures {
            do {
                let file = try files.file(of: picture)
                guard seen.insert(file).inserted else {
                    problems.append("\(picture.source): the picture \(file) is annotated twice; remove one of the two.")
                    continue
                }
                let name = Folder.stem(file.split(separator: "/").last.map(String.init) ?? file)
                let source = Sample.Source.annotated(image: file, picture, labels: labels.count)
                splits[files.split(of: picture), default: []].append(Sample(name: name, source: source))
            } catch { problems.append(error.description) }
        }
        if let first = problems.first, !options.collectsProblems {
            let others =
                problems.count > 1
                ? " (\(problems.count - 1) more problems; a \(UserChoice.datasetCheck) counts them.)" : ""
            throw DatasetError(first + others)
        }
        guard splits.values.contains(where: { !$0.isEmpty }) else {
            throw DatasetError(
                problems.first ?? "\(path): has no annotated picture; give the \(UserChoice.data) that has some."
            )
        }
        Self.nameApart(&splits, files.folder)
        let own = try ownTable(files.folder, options)
        var dataset = Dataset(
            name: files.folder.name,
            classes: try own ?? table(labels, files.folder, options),
            rule: LabelRule(),
            splits: splits
        )
        dataset.rule = try dataset.rule(for: labels, options, canAddBackground: own == nil)
        dataset.problems = problems
        dataset.warnings = files.set.notes
        if options.collectsProblems { dataset.warnings += Self.crossings(splits) }
        return dataset
    }

    /// If pictures in several folders have the same name, their names get those of their folders in front, since masks are named like
    /// pictures.
    private static func nameApart(_ splits: inout [String: [Sample]], _ folder: Folder) {
        var counts: [String: Int] = [:]
        for sample in splits.values.joined() { counts[sample.name, default: 0] += 1 }
        for split in splits.keys {
            for index in (splits[split] ?? []).indices {
                guard let sample = splits[split]?[index], counts[sample.name] ?? 0 > 1,
                    case .annotated(let image, _, _) = sample.source
                else { continue }
                let base = folder.path("")
                let path = image.hasPrefix(base) ? String(image.dropFirst(base.count)) : image
                splits[split]?[index].name = Folder.stem(path).split(separator: "/").joined(separator: "_")
            }
        }
    }

    /// The classes that a user gives, by the options or by a file in the folder; nil: none.
    private static func ownTable(_ folder: Folder, _ options: DatasetOptions) throws -> ClassTable? {
        guard options.classes != nil || folder.has("classes.json") || folder.has("classes.txt") else { return nil }
        return try folder.classes(options)
    }

    /// The labels of the annotations as classes.
    private static func table(
        _ labels: [AnnotationSet.Label],
        _ folder: Folder,
        _ options: DatasetOptions
    ) throws -> ClassTable {
        var entries: [(name: String, color: Color?)] = []
        if options.unlabelled?.lowercased() == "background",
            !labels.contains(where: { $0.name.lowercased() == "background" })
        {
            entries.append(("background", nil))
        }
        for (number, label) in labels.enumerated() where !ClassTable.isReadable(label.name) {
            let name = label.name.isEmpty ? "no name" : "control characters in its name"
            throw DatasetError(
                "\(folder.directory): label \(number + 1) of its annotations has \(name); give it one that can be read, or give a "
                    + "\(UserChoice.classes) and the \(UserChoice.labelChange) \(number)=CLASS."
            )
        }
        var known: Set<String> = []
        for label in labels where known.insert(label.name.lowercased()).inserted {
            entries.append((label.name, label.color))
        }
        let generic = ClassTable.generic(classCount: entries.count).classes
        guard !entries.isEmpty else {
            throw DatasetError("\(folder.directory): its annotations have no label; give a \(UserChoice.classes).")
        }
        return ClassTable(
            name: folder.name,
            classes: zip(entries, generic).map { ClassTable.Entry($0.name, $0.color ?? $1.color) },
            ignoredIDs: [ClassTable.usualVoid(classCount: entries.count)]
        )
    }

    /// What the label numbers mean before a user's changes. Labels that are not a class mean void.
    /// - Parameter canAddBackground: Whether the classes are those of the annotations: a table that somebody wrote gets no other class.
    private func rule(
        for labels: [AnnotationSet.Label],
        _ options: DatasetOptions,
        canAddBackground: Bool
    ) throws(DatasetError) -> LabelRule {
        var rule = LabelRule()
        for (number, label) in labels.enumerated() {
            rule.mapping[UInt16(number)] = .some(classes.id(named: label.name).map { UInt16(clamping: $0) })
        }
        rule.mapping[UInt16(labels.count)] = .some(nil)
        rule.mapping[UInt16(labels.count + 1)] = .some(nil)
        if let name = options.unlabelled, name.lowercased() != "void" {
            guard let id = classes.id(named: name) else {
                throw DatasetError(
                    "\(UserChoice.unlabelled) '\(name)': is not one of void\(canAddBackground ? ", background" : "") and the classes "
                        + "\(classes.classes.map(\.name).joined(separator: ", "))"
                        + (canAddBackground
                            ? "." : "; give one of these, or add '\(name)' at the end of the \(UserChoice.classes).")
                )
            }
            rule.mapping[UInt16(labels.count)] = UInt16(clamping: id)
        }
        rule.colors = ClassTable(
            name: "annotations",
            classes: labels.map { ClassTable.Entry($0.name, $0.color ?? .black) }
        )
        return rule
    }

    /// - Throws: `DatasetError` if annotations have labels that are not a class and to which no change gives a meaning.
    func requireMeanings(_ options: DatasetOptions) throws(DatasetError) {
        guard let labels = rule.colors?.classes else { return }
        let unknown = labels.indices.filter { number in
            classes.id(named: labels[number].name) == nil && !options.ignored.contains(UInt16(clamping: number))
                && !options.changes.contains { change in
                    switch change.old {
                    case .number(let old): Int(old) == number
                    case .name(let old): old.lowercased() == labels[number].name.lowercased()
                    }
                }
        }
        guard let first = unknown.first else { return }
        var counts = [Int](repeating: 0, count: labels.count)
        for sample in splits.values.joined() {
            guard case .annotated(_, let picture, _) = sample.source else { continue }
            for annotation in picture.annotations where annotation.label >= 0 { counts[annotation.label] += 1 }
            for label in (picture.segments?.labels ?? [:]).values { counts[label] += 1 }
        }
        let used = unknown.filter { counts[$0] > 0 }
        guard !used.isEmpty else { return }
        let names = used.map { "'\(labels[$0].name)' (\(counts[$0]))" }
        throw DatasetError(
            "\(name): its annotations have the labels \(names.joined(separator: ", ")), which are not among the classes "
                + "\(classes.classes.map(\.name).joined(separator: ", ")); add the \(UserChoice.labelChange) \(labels[used.first ?? first].name)=CLASS "
                + "or \(labels[used.first ?? first].name)=void for each, or give a \(UserChoice.classes) that has them."
        )
    }

    /// The warning about polygons that cross themselves.
    private static func crossings(_ splits: [String: [Sample]]) -> [String] {
        var found: [(picture: String, source: String, points: (Int, Int))] = []
        for sample in splits.sorted(by: { $0.key < $1.key }).flatMap(\.value) {
            guard case .annotated(_, let picture, _) = sample.source else { continue }
            for annotation in picture.annotations {
                let polygons: [[PixelPoint]]
                switch annotation.shape {
                case .polygons(let rings), .relativePolygons(let rings): polygons = rings
                case .runs, .rows: continue
                }
                for ring in polygons {
                    if let points = PixelPolygon.crossing(ring) { found.append((picture.file, picture.source, points)) }
                }
            }
        }
        guard let first = found.first else { return [] }
        let others = found.count > 1 ? " and \(found.count - 1) more polygons cross" : " crosses"
        return [
            "\(first.source): a polygon of \(first.picture) (at its sides after points \(first.points.0 + 1) and \(first.points.1 + 1))\(others) "
                + "\(found.count > 1 ? "themselves" : "itself"); what is enclosed twice counts as outside. Redraw it if that is not what you want."
        ]
    }
}

extension DatasetOptions {
    /// - Throws: `DatasetError` if an option does not apply to this kind of data set.
    func check(_ kind: DatasetKind) throws(DatasetError) {
        if unlabelled != nil, !kind.isAnnotated {
            let kinds = DatasetKind.allCases.filter(\.isAnnotated).map(\.rawValue).joined(separator: ", ")
            throw DatasetError(
                "\(UserChoice.unlabelled): '\(kind.rawValue)' labels every pixel; leave it out, or choose a kind with annotations (\(kinds))."
            )
        }
        if !labelSuffix.isEmpty, kind != .folder {
            throw DatasetError(
                "\(UserChoice.labelSuffix) '\(labelSuffix)': applies to the kind 'folder', whose labels are found by their names, not to "
                    + "'\(kind.rawValue)'; leave it out."
            )
        }
        if isColored, kind.isAnnotated {
            throw DatasetError("\(kind.rawValue): annotations are not painted in colours; leave that setting out.")
        }
        guard folds >= Self.leastFolds || (folds == 0 && fold == 1) else {
            throw DatasetError(
                "folds \(folds), fold \(fold): give at least \(Self.leastFolds) folds, and say which of them is for validation."
            )
        }
        guard folds == 0 || (1...folds).contains(fold) else {
            throw DatasetError("fold \(fold): has to be one of 1...\(folds), the number of folds.")
        }
    }
}

extension Dataset {
    /// Divides the pictures of `train` and `val` for cross-validation: every n-th is for validation, starting with the one that has the
    /// fold's number.
    /// - Throws: `DatasetError` if there are fewer pictures than folds.
    mutating func divide(_ options: DatasetOptions) throws(DatasetError) {
        guard options.folds > 0 else { return }
        let all = (splits["train"] ?? []) + (splits["val"] ?? [])
        guard all.count >= options.folds else {
            throw DatasetError(
                "\(name): has \(counted(all.count, "picture")) in train and val, too few for \(options.folds) folds; give fewer "
                    + "folds."
            )
        }
        let isChosen = { (place: Int) in place % options.folds == options.fold - 1 }
        splits["val"] = all.enumerated().filter { isChosen($0.offset) }.map(\.element)
        splits["train"] = all.enumerated().filter { !isChosen($0.offset) }.map(\.element)
    }
}
