internal import HTTPTypes
internal import SegNetToolkit

// What a request means for a model.

extension SegmentParameters {
    /// - Throws: `Problem` 400 if the model cannot do what is asked.
    func check(for model: ServedModel) throws(Problem) {
        try checkPolygons()
        _ = try cutoutClasses(of: model)
        let wantsSpread = output == .uncertainty || include.contains(.uncertainty)
        if samples > 1 || wantsSpread, !model.canSample {
            throw Problem(
                .badRequest,
                "The model '\(model.name)' has no dropout to sample, so it has no uncertainty. Leave 'samples' and 'uncertainty' out, "
                    + "or choose a model whose 'canSample' is true in /v1/models."
            )
        }
        if samples > 1, isRefined {
            throw Problem(
                .badRequest,
                "Samples are not refined: their spread would be meaningless. Leave 'samples' or 'refine' out."
            )
        }
        if wantsSpread, samples < 2 {
            throw Problem(
                .badRequest,
                "Uncertainty is how much samples differ: ask for at least 2, such as samples=20."
            )
        }
    }

    /// - Throws: `Problem` 400 if a format or a tolerance comes without polygons, or a tolerance with a format that has no borders.
    private func checkPolygons() throws(Problem) {
        if output != .polygons, format != nil || tolerance != nil {
            throw Problem(
                .badRequest,
                "'\(format != nil ? "format" : "tolerance")' is only for polygons. Leave it out, or ask for output=polygons."
            )
        }
        if let format, format.isExact, let tolerance, tolerance > 0 {
            throw Problem(
                .badRequest,
                "'\(format.rawValue)' has pixels, not borders that could be simplified. Leave 'tolerance' out, or choose another 'format'."
            )
        }
    }

    /// The names of the classes that a cut-out shows; none where none is asked for.
    /// - Throws: `Problem` 400 if they are missing, not asked for or not the model's; the detail then has the closest name and all names.
    func cutoutClasses(of model: ServedModel) throws(Problem) -> [String] {
        guard output == .cutout || include.contains(.cutout) else {
            if classes == nil { return [] }
            throw Problem(.badRequest, "'classes' is only for cut-outs. Leave it out, or ask for output=cutout.")
        }
        guard let classes else {
            throw Problem(
                .badRequest,
                "A cut-out shows some classes: name them in 'classes', with commas between. The model '\(model.name)' has "
                    + "\(model.classes.map(\.name).joined(separator: ", "))."
            )
        }
        // A name may have commas of its own.
        if (try? model.segmenter.classID(named: classes)) != nil { return [classes] }
        let names = classes.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names {
            do throws(SegmenterError) { _ = try model.segmenter.classID(named: name.shortened) } catch {
                throw Problem(.badRequest, "The parameter 'classes': \(error.reason)")
            }
        }
        return names
    }

    /// How polygons are written.
    var polygons: (format: AnnotationFormat, tolerance: Double) {
        let format = format ?? .coco
        return (format, format.isExact ? 0 : tolerance ?? 1)
    }

    /// All kinds that the answer holds.
    var kinds: [OutputKind] { output == .json ? include : [output] }

    /// The request to the segmenter.
    var request: Segmenter.Request {
        var keeps: Set<Segmenter.KeptOutput> = []
        if kinds.contains(.confidence) { keeps.insert(.confidence) }
        if kinds.contains(.probabilities) { keeps.insert(.probabilities) }
        return Segmenter.Request(
            samples > 1 ? .samples(samples, seed: seed) : .once,
            size: size,
            edges: edges,
            refinement: isRefined ? .denseCRF(nil) : nil,
            keeps: keeps
        )
    }
}
