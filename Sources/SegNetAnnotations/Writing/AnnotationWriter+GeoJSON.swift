import SegNetImages

private struct GeoJSONFeature: Encodable {
    struct Geometry: Encodable {
        var type = "Polygon"
        var coordinates: [[[Double]]]
    }

    struct Properties: Encodable {
        var `class`: String
        var classID: Int
        var color: String
        var picture: String
        var pixels: Int

        private enum CodingKeys: String, CodingKey {
            case `class`, classID = "class_id", color, picture, pixels
        }
    }

    var type = "Feature"
    var geometry: Geometry
    var properties: Properties
}

private struct GeoJSONDocument: Encodable {
    var type = "FeatureCollection"
    var features: [GeoJSONFeature]
}

extension AnnotationWriter {
    /// RFC 7946: exteriors anticlockwise and holes clockwise in the coordinates' own sense, the first point repeated at the end.
    var geoJSON: some Encodable {
        GeoJSONDocument(
            features: pictures.flatMap { picture in
                picture.regions.map { region in
                    let rings = region.polygon.rings.map { ring in
                        var points = ring.map { picture.georeference?.map($0) ?? [$0.x, $0.y] }
                        // Rows count downwards: as numbers, what is clockwise on the screen is anticlockwise.
                        if picture.georeference?.isMirrored ?? false { points.reverse() }
                        return points + points.prefix(1)
                    }
                    return GeoJSONFeature(
                        geometry: GeoJSONFeature.Geometry(coordinates: rings),
                        properties: GeoJSONFeature.Properties(
                            class: name(of: region),
                            classID: Int(region.classID),
                            color: classes.color(of: Int(region.classID)).hexadecimal,
                            picture: picture.file,
                            pixels: region.pixelCount
                        )
                    )
                }
            }
        )
    }

    private func name(of region: LabelRegion) -> String { classes.name(of: Int(region.classID)) }
}
