/* The loops that write or copy every string of a response (mapsos/columns/loops.py).

   They work on buffers that the caller made, without the interpreter's lock. Whatever numbers a buffer contains,
   nothing is read or written outside of the buffers that were passed. */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Numbers from here on are left to Python: their millionths would not be exact. 2^52 / 10^6. */
#define TOO_LARGE 4503599627.370496

/* Sign, ten digits, point, six decimals, and a character after it. */
#define LONGEST_NUMBER 19

/* Sign, "0.", eighteen decimals, and what copying three digits as four bytes writes beyond. */
#define LONGEST_REAL 24

/* 0 to 999 with three digits, the fourth byte being the number of zeros at the end; and without leading zeros, the
   fourth byte being the number of digits. */
static char padded[1000][4], plain[1000][4];

static void
fill_digits(void)
{
    for (int number = 0; number < 1000; number++) {
        char digits[3] = {(char)('0' + number / 100), (char)('0' + number / 10 % 10), (char)('0' + number % 10)};
        int count = number < 10 ? 1 : number < 100 ? 2 : 3;
        memcpy(padded[number], digits, 3);
        padded[number][3] = (char)(number % 10 != 0 ? 0 : number % 100 != 0 ? 1 : 2);
        memcpy(plain[number], digits + 3 - count, (size_t)count);
        plain[number][3] = (char)count;
    }
}

static int64_t
load_int64(const char *at)
{
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void
store_int64(char *at, int64_t value)
{
    memcpy(at, &value, sizeof value);
}

/* A magnitude below TOO_LARGE times 10^6 as an integer: of the exact product, ties to even. */
static uint64_t
round_millionths(double magnitude)
{
    double scaled = magnitude * 1e6;
    /* Adding 2^52 leaves no room for a fraction. */
    double rounded = (scaled + 4503599627370496.0) - 4503599627370496.0;
    if (fabs(scaled - rounded) >= 0.5 - scaled * 0x1p-52) {
        double error = fma(magnitude, 1e6, -scaled);
        double below = floor(scaled);
        double over = ((scaled - below) - 0.5) + error;
        int odd = ((int64_t)below & 1) != 0;
        rounded = over > 0 || (over == 0 && odd) ? below + 1 : below;
    }
    return (uint64_t)(int64_t)rounded;
}

static char *
write_whole(char *at, uint64_t whole)
{
    uint32_t groups[7], rest = 0;
    for (; whole >= 1000; whole /= 1000)
        groups[rest++] = (uint32_t)(whole % 1000);
    memcpy(at, plain[whole], 4);
    at += plain[whole][3];
    while (rest > 0) {
        memcpy(at, padded[groups[--rest]], 4);
        at += 3;
    }
    return at;
}

/* Without a branch that depends on the digits of a number below a thousand: those cannot be foreseen. Bytes beyond
   what is returned are written too, fewer than LONGEST_NUMBER in all. */
static char *
write_number(char *at, double value, char after)
{
    uint64_t millionths = round_millionths(fabs(value));
    uint64_t whole = millionths / 1000000;
    uint32_t decimals = (uint32_t)(millionths - whole * 1000000);
    *at = '-';
    at += signbit(value) != 0;
    at = write_whole(at, whole);
    *at = '.';
    memcpy(at + 1, padded[decimals / 1000], 4);
    memcpy(at + 4, padded[decimals % 1000], 4);
    at[7] = after;
    return at + 7 + (after != 0);
}

/* Powers of ten that are exact, and in front of them 10^-4 to 10^-1. */
static const double powers[] = {1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
static const uint64_t whole_powers[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
    1000000000000000000};

/* The 15 significant digits nearest to a size from 1e-4 to 1e10, ties to even; decimals becomes how many of them stand
   after the point, 5 to 18. */
static uint64_t
round_to_15_digits(double size, int *decimals)
{
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    /* log10(2) is 1233 / 4096, and a bit: the power of ten below the size, or the one before that. */
    int power = (((int)(bits >> 52) - 1023) * 1233 + 8 * 4096) / 4096 - 8;
    if (power < -4)
        power = -4;
    power += size >= powers[power + 1 + 4];
    *decimals = 14 - power;
    double scale = powers[*decimals + 4];
    double high = size * scale;
    double whole = (high + 4503599627370496.0) - 4503599627370496.0;
    /* The product is exact as a sum of two doubles. A half without a second one has been rounded to even already. */
    double rest = (high - whole) + fma(size, scale, -high);
    return (uint64_t)((int64_t)whole + (rest > 0.5) - (rest < -0.5));
}

/* The point and decimals, of which there are eighteen, without the zeros at the end; nothing for 0. */
static char *
write_fraction(char *at, uint64_t decimals)
{
    uint32_t halves[2] = {(uint32_t)(decimals / 1000000000), (uint32_t)(decimals % 1000000000)};
    uint32_t groups[6];
    int last = halves[1] != 0 ? 5 : 2;
    if (decimals == 0)
        return at;
    for (int half = 0; half < 2; half++) {
        groups[3 * half] = halves[half] / 1000000;
        groups[3 * half + 1] = halves[half] / 1000 % 1000;
        groups[3 * half + 2] = halves[half] % 1000;
    }
    while (groups[last] == 0)
        last--;
    *at++ = '.';
    for (int group = 0; group <= last; group++, at += 3)
        memcpy(at, padded[groups[group]], 4);
    return at - padded[groups[last]][3];
}

PyDoc_STRVAR(format_reals_doc,
"format_reals(values, out, ends) -> bytes written, or -1\n\n"
"Doubles as C's %.15g writes them. ends (int64, one more than there are values) becomes 0 and where each text ends in\n"
"out, which must have room for 24 bytes a number. -1 if a number is neither 0 nor of a size from 1e-4 to below 1e10:\n"
"then out and ends mean nothing.");

static PyObject *
format_reals(PyObject *module, PyObject *args)
{
    Py_buffer values, out, ends;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*w*w*", &values, &out, &ends))
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t count = values.len / 8;
    if (values.len % 8 != 0 || out.len / LONGEST_REAL < count || ends.len / 8 != count + 1 || ends.len % 8 != 0) {
        PyErr_SetString(PyExc_ValueError, "sizes of values, out and ends do not fit together");
        goto done;
    }
    const char *from = values.buf;
    char *start = out.buf, *at = start, *end = ends.buf;
    int fits = 1;
    Py_BEGIN_ALLOW_THREADS
    store_int64(end, 0);
    for (; count > 0; count--) {
        double value;
        memcpy(&value, from, sizeof value);
        from += sizeof value;
        double size = fabs(value);
        *at = '-';
        at += signbit(value) != 0;
        if (size >= 1e-4 && size < 1e10) {
            int decimals;
            uint64_t digits = round_to_15_digits(size, &decimals);
            uint64_t whole = (uint64_t)(int64_t)size;
            uint64_t rest = digits - whole * whole_powers[decimals];
            /* Rounded up to the next integer. */
            if (rest >= whole_powers[decimals]) {
                rest -= whole_powers[decimals];
                whole++;
            }
            at = write_whole(at, whole);
            at = write_fraction(at, rest * whole_powers[18 - decimals]);
        } else if (size == 0) {
            *at++ = '0';
        } else {
            fits = 0;
            break;
        }
        store_int64(end += 8, at - start);
    }
    Py_END_ALLOW_THREADS
    result = PyLong_FromSsize_t(fits ? at - start : -1);
done:
    PyBuffer_Release(&values);
    PyBuffer_Release(&out);
    PyBuffer_Release(&ends);
    return result;
}

PyDoc_STRVAR(format_fixed_doc,
"format_fixed(values, after, out, ends) -> bytes written, or -1\n\n"
"Rows of len(after) doubles each as text with six decimals, each number followed by its character of after (NUL: none).\n"
"ends (int64, one more than there are rows) becomes 0 and where each row ends in out, which must have room for 19 bytes\n"
"a number. -1 if a number is 2**52 / 10**6 or more, or none: then out and ends mean nothing.");

static PyObject *
format_fixed(PyObject *module, PyObject *args)
{
    Py_buffer values, after, out, ends;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*w*w*", &values, &after, &out, &ends))
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t columns = after.len;
    Py_ssize_t numbers = values.len / (Py_ssize_t)sizeof(double);
    if (columns == 0 || values.len % (Py_ssize_t)sizeof(double) != 0 || numbers % columns != 0
        || out.len / LONGEST_NUMBER < numbers || ends.len / 8 != numbers / columns + 1 || ends.len % 8 != 0) {
        PyErr_SetString(PyExc_ValueError, "sizes of values, after, out and ends do not fit together");
        goto done;
    }
    const char *from = values.buf;
    const char *character = after.buf;
    char *start = out.buf, *at = start, *end = ends.buf;
    int fits = 1;
    Py_BEGIN_ALLOW_THREADS
    store_int64(end, 0);
    for (Py_ssize_t row = numbers / columns; row > 0 && fits; row--) {
        for (Py_ssize_t column = 0; column < columns; column++) {
            double value;
            memcpy(&value, from, sizeof value);
            from += sizeof value;
            /* Written so that NaN does not fit. */
            if (!(fabs(value) < TOO_LARGE)) {
                fits = 0;
                break;
            }
            at = write_number(at, value, character[column]);
        }
        store_int64(end += 8, at - start);
    }
    Py_END_ALLOW_THREADS
    result = PyLong_FromSsize_t(fits ? at - start : -1);
done:
    PyBuffer_Release(&values);
    PyBuffer_Release(&after);
    PyBuffer_Release(&out);
    PyBuffer_Release(&ends);
    return result;
}

/* What stands in every row: the bytes of `data`, or of a column those between two of its offsets. */
typedef struct {
    Py_buffer data, offsets;
    int is_column;
} Piece;

static int
take_piece(PyObject *object, Py_ssize_t last, Piece *piece)
{
    piece->is_column = PyTuple_Check(object);
    if (!piece->is_column)
        return PyObject_GetBuffer(object, &piece->data, PyBUF_SIMPLE);
    if (PyTuple_Size(object) != 2) {
        PyErr_SetString(PyExc_ValueError, "a column is a tuple of offsets and data");
        return -1;
    }
    if (PyObject_GetBuffer(PyTuple_GetItem(object, 0), &piece->offsets, PyBUF_SIMPLE) < 0)
        return -1;
    if (piece->offsets.len / 8 <= last) {
        PyErr_SetString(PyExc_ValueError, "a column has too few offsets");
    } else if (PyObject_GetBuffer(PyTuple_GetItem(object, 1), &piece->data, PyBUF_SIMPLE) == 0) {
        return 0;
    }
    PyBuffer_Release(&piece->offsets);
    return -1;
}

/* Write the rows. Returns the number of bytes, or -1 where an offset points outside of its data or the room ends. */
static Py_ssize_t
join_pieces(const Piece *pieces, Py_ssize_t count, Py_ssize_t first, Py_ssize_t last, char *out, Py_ssize_t room,
            char *ends)
{
    char *at = out;
    for (Py_ssize_t row = first; row < last; row++) {
        for (const Piece *piece = pieces; piece < pieces + count; piece++) {
            int64_t start = 0, end = piece->data.len;
            if (piece->is_column) {
                const char *offset = (const char *)piece->offsets.buf + 8 * row;
                start = load_int64(offset);
                end = load_int64(offset + 8);
                if (start < 0 || end < start || end > piece->data.len)
                    return -1;
            }
            if (end - start > room)
                return -1;
            memcpy(at, (const char *)piece->data.buf + start, (size_t)(end - start));
            at += end - start;
            room -= (Py_ssize_t)(end - start);
        }
        if (ends != NULL)
            store_int64(ends += 8, at - out);
    }
    return at - out;
}

PyDoc_STRVAR(join_texts_doc,
"join_texts(first, last, pieces, out, ends) -> bytes written\n\n"
"The pieces of each row from first to last (0-based, last exclusive), one after the other. A piece is bytes that stand\n"
"in every row, or a tuple: int64 offsets, one more than there are rows, and the data they point into. ends, if not None\n"
"(int64, one more than rows are written), becomes 0 and where each row ends in out. Raises ValueError if sizes or\n"
"offsets are wrong, or out has no room.");

static PyObject *
join_texts(PyObject *module, PyObject *args)
{
    Py_ssize_t first, last;
    PyObject *objects, *ends_object;
    Py_buffer out, ends = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "nnO!w*O", &first, &last, &PyTuple_Type, &objects, &out, &ends_object))
        return NULL;
    PyObject *result = NULL;
    Py_ssize_t count = PyTuple_Size(objects), taken = 0, written = -1;
    Piece *pieces = PyMem_Calloc(count > 0 ? (size_t)count : 1, sizeof(Piece));
    if (pieces == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (first < 0 || last < first) {
        PyErr_SetString(PyExc_ValueError, "rows out of range");
        goto done;
    }
    if (ends_object != Py_None) {
        if (PyObject_GetBuffer(ends_object, &ends, PyBUF_WRITABLE) < 0)
            goto done;
        if (ends.len % 8 != 0 || ends.len / 8 != last - first + 1) {
            PyErr_SetString(PyExc_ValueError, "ends has another size");
            goto done;
        }
        store_int64(ends.buf, 0);
    }
    for (; taken < count; taken++)
        if (take_piece(PyTuple_GetItem(objects, taken), last, pieces + taken) < 0)
            goto done;
    Py_BEGIN_ALLOW_THREADS
    written = join_pieces(pieces, count, first, last, out.buf, out.len, ends.buf);
    Py_END_ALLOW_THREADS
    if (written < 0)
        PyErr_SetString(PyExc_ValueError, "offsets point outside of their data, or the buffer is too small");
    else
        result = PyLong_FromSsize_t(written);
done:
    while (taken-- > 0) {
        PyBuffer_Release(&pieces[taken].data);
        if (pieces[taken].is_column)
            PyBuffer_Release(&pieces[taken].offsets);
    }
    PyMem_Free(pieces);
    if (ends.obj != NULL)
        PyBuffer_Release(&ends);
    PyBuffer_Release(&out);
    return result;
}

static PyMethodDef functions[] = {
    {"format_reals", format_reals, METH_VARARGS, format_reals_doc},
    {"format_fixed", format_fixed, METH_VARARGS, format_fixed_doc},
    {"join_texts", join_texts, METH_VARARGS, join_texts_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_loops", "The loops of mapsos.columns.loops.", 0, functions, slots, NULL, NULL,
    NULL,
};

PyMODINIT_FUNC
PyInit__loops(void)
{
    fill_digits();
    return PyModuleDef_Init(&definition);
}
