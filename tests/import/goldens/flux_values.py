"""Values of Julia, and files of BSON.jl that hold them, as the package writes them: made from its README and
bsonspec.org, apart from Figment's own reader.

Arrays are NumPy's with Julia's order of indices, (width, height, channels, samples)."""

import struct

import numpy


class Symbol(str):
    pass


class Function:
    """Given by its module and name; closures are named like 'Main.#3#4'."""

    def __init__(self, name):
        self.name = name


class NamedTuple(dict):
    pass


class Struct:
    """`fields` in Julia's order; a mutable one is an object of its own in JLD2's files."""

    def __init__(self, name, fields, parameters=(), mutable=False):
        self.name, self.fields, self.parameters, self.mutable = name, fields, tuple(parameters), mutable

    def __getitem__(self, name):
        return self.fields[name]


FLOATS = {"float16": "Core.Float16", "float32": "Core.Float32", "float64": "Core.Float64"}


def type_of(value):
    """(name, parameters), where parameters are such pairs, integers, symbols or tuples of symbols."""
    if value is None:
        return "Core.Nothing", ()
    if isinstance(value, bool):
        return "Core.Bool", ()
    if isinstance(value, int):
        return "Core.Int64", ()
    if isinstance(value, numpy.ndarray):
        return "Core.Array", ((FLOATS[value.dtype.name], ()), value.ndim)
    if isinstance(value, numpy.floating):
        return FLOATS[value.dtype.name], ()
    if isinstance(value, float):
        return "Core.Float64", ()
    if isinstance(value, Symbol):
        return "Core.Symbol", ()
    if isinstance(value, str):
        return "Core.String", ()
    if isinstance(value, Function):
        return value.name, ()
    if isinstance(value, tuple):
        return "Core.Tuple", tuple(type_of(item) for item in value)
    if isinstance(value, NamedTuple):
        return "Core.NamedTuple", (tuple(Symbol(name) for name in value), type_of(tuple(value.values())))
    return value.name, value.parameters


def fields_of(value):
    """The fields of what JLD2 makes a compound of."""
    if isinstance(value, tuple):
        return {str(index + 1): item for index, item in enumerate(value)}
    return dict(value) if isinstance(value, NamedTuple) else value.fields


# ---- BSON.jl ----


def bson_element(key, value):
    name = key.encode() + b"\0"
    if value is None:
        return b"\x0a" + name
    if isinstance(value, bool):
        return b"\x08" + name + bytes([value])
    if isinstance(value, int):
        return b"\x12" + name + struct.pack("<q", value)
    if isinstance(value, float) and not isinstance(value, numpy.floating):
        return b"\x01" + name + struct.pack("<d", value)
    if type(value) is str:
        text = value.encode() + b"\0"
        return b"\x02" + name + struct.pack("<i", len(text)) + text
    if isinstance(value, bytes):
        return b"\x05" + name + struct.pack("<i", len(value)) + b"\0" + value
    if isinstance(value, list):
        return b"\x04" + name + bson_document({str(index): item for index, item in enumerate(value)})
    return b"\x03" + name + bson_document(value)


def bson_document(items):
    body = b"".join(bson_element(key, value) for key, value in items.items()) + b"\0"
    return struct.pack("<i", len(body) + 4) + body


def lower_type(kind, shared):
    if not isinstance(kind, tuple) or (kind and isinstance(kind[0], Symbol)):
        return lower(kind, shared)
    name, parameters = kind
    lowered = {"tag": "datatype", "params": [lower_type(parameter, shared) for parameter in parameters],
               "name": ("Main." + name if name.startswith("Base.") else name).split(".")}
    if name != "Core.Array":
        return lowered
    # Array types were met again by the versions of BSON.jl that write references.
    shared.append(lowered)
    return {"tag": "backref", "ref": len(shared)}


def lower(value, shared):
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Symbol):
        return {"tag": "symbol", "name": str(value)}
    if isinstance(value, numpy.ndarray):
        return {"tag": "array", "type": {"tag": "datatype", "params": [], "name": FLOATS[value.dtype.name].split(".")},
                "size": list(value.shape), "data": value.tobytes("F")}
    if isinstance(value, tuple):
        return {"tag": "tuple", "data": [lower(item, shared) for item in value]}
    kind = lower_type(type_of(value), shared)
    if isinstance(value, numpy.floating):
        return {"tag": "struct", "type": kind, "data": value.tobytes()}
    fields = {} if isinstance(value, Function) else fields_of(value)
    return {"tag": "struct", "type": kind, "data": [lower(item, shared) for item in fields.values()]}


def write_bson(path, values):
    shared = []
    document = {name: lower(value, shared) for name, value in values.items()}
    document["_backrefs"] = shared
    path.write_bytes(bson_document(document))
