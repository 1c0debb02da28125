import ArgumentParser
import SegNetToolkit

//  What is seen before the work: results that would replace what is read, and scores that would not mean what they seem to.

extension EvaluationRun {
    /// The classes of `--labelled`; nil: all.
    func namedClasses(_ dataset: Dataset) throws -> [Int]? {
        guard let list = options.labelled else { return nil }
        let names = try nameList(list, of: "--labelled")
        do throws(DatasetError) { return try dataset.namedClasses(names) } catch {
            throw DatasetError("--labelled: \(error)")
        }
    }

    /// Scores of nothing are not a success: the labels are void, or show none of the classes that are to be scored.
    func requireLabels(_ report: EvaluationReport, _ dataset: Dataset, _ split: String) throws(DatasetError) {
        guard report.scoredPixels == 0 else { return }
        let lack = options.labelled.map { "shows a class of '--labelled' (\($0))" } ?? "has a label"
        throw DatasetError(
            "data set '\(dataset.name)': no pixel of '\(split)' (\(counted(report.perImage.count, "picture"))) \(lack), so there is nothing to "
                + "score. A \(UserChoice.datasetCheck) shows what the labels contain."
        )
    }

    /// Files that would replace what is read are refused, and those that cannot be written reported, before the work and not after it.
    func prepareResults(_ dataset: Dataset) throws {
        var inputs: [(path: String, what: String)] = []
        if options.predictions == nil {
            inputs.append((try options.model.file().path(percentEncoded: false), "the model"))
        }
        if let network = options.model.network { inputs.append((network, "the model's network")) }
        if let classes = options.choice.labels.classes { inputs.append((classes, "the table of classes")) }
        if let run = options.runFolder { inputs.append(("\(run)/log.jsonl", "the log of the training run")) }
        inputs.append((options.choice.data, "the data set"))
        // Rendered streets have no folder.
        var folders = options.choice.dataset == .synthetic ? [] : [(path: options.choice.data, owner: "the data set's")]
        if let predictions = options.predictions { folders.append((predictions, "the masks'")) }
        let files = options.resultFiles
        for file in files { try file.requireApart(from: inputs, dataset, folders: folders) }
        for file in files { try file.prepare() }
    }

    /// Masks have the names of pictures, and so have labels: what would be replaced could not be made again.
    func refuseOverwriting(_ dataset: Dataset, _ folder: String) throws {
        let masks = InputList.resolved(folder)
        if let predictions = options.predictions, InputList.resolved(predictions) == masks {
            throw ValidationError(
                "Please give '--save-masks' another folder than '--predictions': \(folder) holds the masks that are scored, which would be "
                    + "replaced."
            )
        }
        // Few folders, however many files.
        guard Set(dataset.files.map(Self.folder)).contains(where: { InputList.resolved($0) == masks }) else { return }
        throw ValidationError(
            "Please give '--save-masks' another folder: \(folder) holds pictures or labels of the data set, which would be replaced."
        )
    }

    /// A training that divides a data set itself (`--folds`, `--val-share`) leaves a division here that knows nothing of it: its folder
    /// tells which pictures the model has learnt from.
    func warnOfLearntPictures(_ samples: [Sample], _ split: String, _ dataset: Dataset) throws {
        guard options.predictions == nil else { return }
        let run = try options.model.file().deletingLastPathComponent()
        guard let learnt = TrainingPictures.learnt(in: run) else { return }
        // Where pictures of two splits have the same name, the one for training was learnt. Some of these may be 'val' here.
        let sources = split == "train" ? [] : ["train", "val"].filter { $0 != split }
        let others = Set(sources.flatMap { dataset.splits[$0] ?? [] }.map(\.name))
        let known = samples.map(\.name).filter { learnt.names.contains($0) && !others.contains($0) }
        guard let first = known.first else { return }
        let subject =
            switch (known.count, samples.count) {
            case (1, 1): "the only picture is"
            case (let some, let all) where some == all: "all \(all) pictures are"
            case (1, let all): "1 of the \(all) pictures is"
            case (let some, let all): "\(some) of the \(all) pictures are"
            }
        console.warning(
            "judging by the names, \(subject) among those that this model learnt from (\(learnt.file.relativePath)), such as '\(first)': "
                + "if they are the same pictures, the scores flatter it."
                + (split == "val"
                    ? " If the training had '--folds' and '--fold', or '--val-share', give the same here." : "")
        )
    }

    /// A training that was told what the labels mean (`--label-offset`, `--map`, ...) left its recipe next to the model: without the same
    /// options here, the scores are of other classes.
    func warnOfOtherLabels() throws {
        guard options.predictions == nil else { return }
        let run = try options.model.file().deletingLastPathComponent()
        guard TrainingPictures.learnt(in: run) != nil, let recipe = try? Trainer.recipe(of: run) else { return }
        let differences = recipe.otherLabels(than: try options.choice.recipe())
        guard !differences.isEmpty else { return }
        let words = differences.map { "\($0.key) was \($0.new ?? "not set") and is \($0.old ?? "not set") here" }
        console.warning(
            "the training read these labels in another way (\(run.appending(path: "recipe.yaml").relativePath)): "
                + "\(words.joined(separator: "; ")). If the labels are the same, give the same options here."
        )
    }

    /// Names that have nothing in common may be those of another language, or other classes altogether.
    func noteOtherNames(_ metadata: ModelMetadata, _ dataset: Dataset) {
        let names = dataset.classes.classes.map(\.name)
        guard let own = metadata.classNames, metadata.sharesNoName(with: names) else { return }
        console.note(
            "note: the model's classes are \(own.joined(separator: ", ")), the data set's \(names.joined(separator: ", ")); they are "
                + "matched by number."
        )
    }
}
