"""Where minigrad differs from PyTorch on purpose, as the fuzzer reads it; a reason must not fit what would be a fault."""

# (verdict, pattern, why): where minigrad differs on purpose. The pattern is sought in "name | call | PyTorch | minigrad | what was
# done to the call".
REASONS = [
    (
        "refused|class",
        r"must be (bool|str|int|float|IntOrInts|tuple)",
        "an argument is what it is called, also where PyTorch's "
        "own Python takes anything for a truth, or looks at it only when the layer is called",
    ),
    ("refused|class", r"complex", "there are no complex numbers"),
    (
        "class",
        r"AttributeError: .* has no attribute .*TypeError",
        "what is no tensor is a TypeError that names the argument, where PyTorch's Python code falls over it",
    ),
    (
        "class",
        r"TypeError.*RuntimeError: (a leaf|a view of a leaf)|RuntimeError: (a leaf|a view of a leaf).*TypeError",
        "of two mistakes in one call the engines name the other one first",
    ),
    (
        "class",
        r"don't support automatic differentiation.*TypeError|TypeError: .*'out'.*don't support automatic differentiation",
        "of two mistakes in one call the engines name the other one first",
    ),
    (
        "class",
        r"Overflow when unpacking|INTERNAL ASSERT|isIntegral",
        "PyTorch stumbles over its own reading of the number",
    ),
    (
        "class",
        r"dtype.*not implemented for|not implemented for.*(same|dtype)",
        "of two mistakes in the types the engines name the other one first",
    ),
    (
        "different",
        r"(topk|kthvalue|sort|argsort|(nan)?median|mode|(nan)?quantile) \|",
        "which of several equal values is unspecified",
    ),
    (
        "taken",
        r"scatter_?\(.*src=[-\d.e]+|keepdim=False|\b(x|a)=|axis=|dim0=|indices_or_sections=|\b[Aab]=|dim=\w+\[|x=None"
        r"|trapezoid\(.*, None,|randint_like\(.*low=|subtract_?\(.*got \((Tensor, )?int, Tensor\)|element 1 in argument 1, but got int"
        r"|pow\(np\.|arange\((start=|\))|bernoulli\(.*out=",
        "a spelling more than PyTorch takes, which means what it says",
    ),
    (
        "different",
        r"float64\[.*(float(16|32)|int\d+|bool)\[|(float(16|32)|int\d+|bool)\[.*float(64|16)\[|float16\[.*float32",
        "of mixed types: an intermediate result in the wider one",
    ),
    (
        "different",
        r"pixel_unshuffle\(\w+\[.*=\[\]|pixel_unshuffle.*\[\]",
        "PyTorch leaves empty tensors in their shape",
    ),
    ("refused", r"probability has to be between 0 and 1, but got nan", "nan is no probability"),
    (
        "taken",
        r"gradient: NotImplementedError: the derivative for 'inplace version of (asinh|acosh|atanh)'",
        "in place the derivative is that of the function, which PyTorch has only out of place",
    ),
    (
        "taken",
        r"gradient: .*derivative for aten::floor_divide_? is not implemented",
        "a floor is flat: its derivative is 0, as PyTorch's own of div(rounding_mode='floor')",
    ),
    (
        "taken",
        r"gradient: .*(gradient computation has been modified by an inplace|In-place \w+ backward calculation)",
        "the values that an in-place operation overwrites are kept for its own backward pass",
    ),
    (
        "taken",
        r"gradient: .*(addmv input tensors must have the same dtype|(Subtraction|Negation), the `-` operator,|can't be cast to the "
        r"desired output type|index_fill_\(\): Expected dtype int64|returned an invalid gradient|a proper Tensor but got None|"
        r"doesn't match the broadcast shape|value cannot be converted to type)",
        "PyTorch's backward pass stumbles over types and sizes that its forward pass took",
    ),
    (
        "taken",
        r"partially initialized module 'torch\._",
        "PyTorch's own modules, imported late where memory is limited",
    ),
    ("taken", r"kron.*view size is not compatible", "PyTorch's kron takes some layouts of memory only"),
    (".*", r"np\.(True|False)_", "PyTorch takes NumPy's booleans for floats; here they are booleans"),
    (
        "taken",
        r"out=<.*(output with shape .* doesn't match the broadcast shape)",
        "the result is there before out= is written, so an input that has to grow may be out",
    ),
    (
        "different",
        r"histc.*out=<",
        "the result is there before out= is written; PyTorch overwrites what it is counting",
    ),
    (
        "different",
        r"(searchsorted|bucketize)\(.* \| values$",
        "the boundaries are not in order: the answer is unspecified",
    ),
    (
        "different",
        r"(gcd|lcm)_?\(.*(-(128|32768|2147483648|9223372036854775808)| \| values$)",
        "the absolute value of the smallest integer does not fit",
    ),
    ("different", r"(log|slog)det\(.*\[\[-0\.", "the derivative of ln|x| at 0 is infinite, with the sign of the zero"),
    (
        "different",
        r"(cat|concat|concatenate)\(\[.*\[0\]=\[\].*gradient: ",
        "an empty vector beside tensors with more dimensions is passed over: it has no gradient",
    ),
    (
        "different",
        r"(digamma|polygamma|psi|trigamma)_?\(.*gradient: .*-inf.* \| values$",
        "at a pole the derivative is infinite; PyTorch has the rounding error of a sine instead",
    ),
    (
        "different",
        r"floor_divide\(.*out=",
        "what was written to out= has no derivative; PyTorch says that out requires grad",
    ),
    (
        "different",
        r"cum(max|min)\(\w+\[[\d, ]*\b0\b.*gradient: ",
        "PyTorch's gradient of an empty tensor is a part of the graph",
    ),
    (
        "refused",
        r"(add|sub)_?\(.*got multiple values for argument 'other'",
        "PyTorch's deprecated order (alpha, other), half named",
    ),
    (
        "different",
        r"masked_scatter_.*<",
        "the values are read before they are overwritten; PyTorch reads what it has written",
    ),
    (
        "different",
        r"\bdet\(.*\[\[1\.,1\.\],\[1\.,1\.\]\].*gradient: ",
        "of a singular matrix the derivative is the matrix of cofactors; PyTorch's is that of another matrix nearby",
    ),
    (
        "different",
        r"(std|var)(_mean)?\(.*(\(,\)|\[\]).*gradient: ",
        "PyTorch's backward pass takes dim=() for one element, its forward pass for all",
    ),
    (
        "different",
        r"(std|var)(_mean)?\(.*correction=\d{2,}.*gradient: ",
        "a variance with fewer elements than are taken off is infinite, and its root has no derivative",
    ),
    (
        "different",
        r"(addmm|addmv|addbmm|baddbmm|addr)_?\(.*((alpha|beta)=|, )-?(inf|nan)",
        "infinity times 0: where it becomes nan depends on the order of sums and products",
    ),
    (
        "different",
        r"(dist|norm|renorm)_?\(.*\b(2147483648|4611686018427387904|9223372036854775808|1e\+40|1e\+300|100|nan),?",
        "powers that overflow; PyTorch takes the only element of a row as it is",
    ),
    ("different", r"Tensor\.resize_(as_)?\(", "what stands in memory that was never written is unspecified"),
    (
        "different",
        r"triangular_solve",
        "the second result is A as it was given: its shape, and whether it requires grad",
    ),
    (
        "different",
        r"qr\(\w+\[[\d, ]*\]E.*gradient: ",
        "all rows alike: a matrix without full rank has no derivative of qr",
    ),
    (
        "refused",
        r"out= is a view, whose memory is too small",
        "memory that several tensors look at cannot grow, and this is said",
    ),
    (
        "refused",
        r"index -?9223372036854775\d\d\d is out of bounds",
        "PyTorch reads outside the memory of the tensor",
    ),
    (
        "refused",
        r"unravel_index\(.*ValueError: indices of",
        "PyTorch does not look whether the indices lie in the shape",
    ),
    (
        "refused|class",
        r"there is not so much memory",
        "PyTorch's own count of the elements overflows, or it takes memory that is never there",
    ),
    (
        "refused",
        r"(\[0, |, 0[,\]]).*Low precision dtypes not supported",
        "half precision is refused also of matrices without elements",
    ),
    (
        "taken",
        r"iteration over a 0-d tensor|len\(\) of a 0-d tensor|'numpy\.int64' has no len|must be a float or int, got: <class 'torch.Tensor'>",
        "a tensor without dimensions and NumPy's whole numbers are numbers, as everywhere else",
    ),
    (
        "taken",
        r"OverflowError: can't convert negative int to unsigned",
        "a whole number that 64 bits do not hold is the float next to it, where a float is wanted",
    ),
    ("taken", r"linalg\.(lstsq|tensorsolve)\(.*\bB=", "the argument's name in PyTorch's own documentation"),
    ("different", r"nn\.(Lazy)?Conv\w+\(.*\b0, ", "memory that is left as it was found"),
    ("different", r"vector_norm\(.*1e\+40", "a power that float32 does not hold: to PyTorch every norm of it is 1"),
    ("refused", r"is not supported by minigrad|is not implemented for minigrad", "what is not there says so by name"),
    (
        "refused",
        r"kernel_size must be (greater|positive).*|kernel_size must be greater than 0",
        "a window of no elements has no largest one",
    ),
    (
        "different",
        r"linalg\.lstsq\(.*\]!?, (True|[\d.e+-]+)\)",
        "of columns that count as dependent: which part is left out",
    ),
    ("refused", r"got \((int|bool|, )+\)", "a truth is no size"),
    # -- objects: modules, optimizers, distributions, functions of functions
    (
        "stray",
        r" \| (\w*(Error|Exception): [^|]+) \| \1 \| ",
        "Python's own words in both engines: what is wanted is whatever has a length, can be called, ...",
    ),
    (
        "taken",
        r"GeneralizedPareto.*Double did not match Float",
        "PyTorch's code mixes a float32 number into float64 tensors",
    ),
    (
        "taken",
        r"(no attribute 'compiled_autograd'|module 'sympy' has no attribute 'core')",
        "PyTorch's own modules, imported late where memory is limited",
    ),
    (
        "taken",
        r"unpad_sequence\(.*a leaf Variable that requires grad is being used in an in-place",
        "PyTorch turns the batch in place, which a leaf does not allow",
    ),
    (
        "taken",
        r"clip_grad_value_\(.*Expected !nested_tensorlist",
        "no parameter has a gradient: there is nothing to clip, as for clip_grad_norm_",
    ),
    (
        "different",
        r"lr_scheduler\.\w+\(.*, (total_iters|power|gamma|eta_min|factor|start_factor|end_factor|T_max|min_lr)=(float|int|bool)\d*\[\]=",
        "a tensor without dimensions in the place of a number gives rates that are numbers; PyTorch's become tensors",
    ),
    ("taken", r"Multinomial\(total_count=np\.int64", "NumPy's whole numbers are whole numbers"),
    ("taken", r"hamming_window\(.*beta=", "a spelling more than PyTorch takes, which means what it says"),
    (
        "taken",
        r"index_put_?\(.*\(bool\[\]=.*(shape mismatch: value tensor|INTERNAL ASSERT)",
        "PyTorch's own kernel fails where a mask has no dimensions",
    ),
    (
        "taken",
        r"scatter_reduce.*gradient: RuntimeError: The size of tensor a",
        "PyTorch's backward pass takes a source that is larger than its index for one of its size",
    ),
    ("different", r"func\.linearize\(.*\)\(.* \| gradient: ", "PyTorch's linearize keeps no graph of the point"),
    (
        "refused|class",
        r"argument 'sample_shape' must be a tuple of ints",
        "a shape is a tuple or a list of whole numbers; PyTorch takes whatever it can iterate over",
    ),
    (
        "class",
        r"The value argument to log_prob must be a Tensor",
        "a value that is no tensor is named before it is computed with",
    ),
]

# (name, tolerance, why): of what PyTorch's own values are not closer than this to the exact ones.
LOOSER = [
    (r"distributions\.VonMises", 1e-6, "its Bessel functions are short polynomials, with errors of 1e-7"),
    (r"distributions\.", 1e-8, "its trigamma function, in gradients of entropies, is right to 1.2e-9"),
]
