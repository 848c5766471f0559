;; The DMA engine: memory.copy between any two places of the machine's shared memory, and the sum of a range.
;; V8 copies SharedArrayBuffers word by word with relaxed atomics; these instructions do not,
;; and move a 4 KiB page about five times faster (docs/decisions/0002).
(module
  (import "env" "memory" (memory 1 65536 shared))

  (func (export "copy") (param $to i32) (param $from i32) (param $bytes i32)
    local.get $to
    local.get $from
    local.get $bytes
    memory.copy)

  ;; word-sum.ts defines it. Rows of 32 words, a lane for each, 4 lanes to a vector; then the vectors one after another, the
  ;; lanes of the last, and what is left.
  (func (export "sum") (param $at i32) (param $words i32) (param $start i32) (result i32)
    (local $end i32) (local $rows_end i32) (local $h i32) (local $m v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $e v128) (local $f v128) (local $g v128) (local $i v128)
    (local.set $h (local.get $start))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $words) (i32.const 2))))
    (local.set $rows_end
      (i32.add (local.get $at) (i32.shl (i32.and (local.get $words) (i32.const -32)) (i32.const 2))))
    (if (i32.lt_u (local.get $at) (local.get $rows_end))
      (then
        (local.set $m (i32x4.splat (i32.const 0x9e3779b1)))
        (local.set $a (i32x4.splat (local.get $start)))
        (local.set $b (i32x4.splat (i32.add (local.get $start) (i32.const 1))))
        (local.set $c (i32x4.splat (i32.add (local.get $start) (i32.const 2))))
        (local.set $d (i32x4.splat (i32.add (local.get $start) (i32.const 3))))
        (local.set $e (i32x4.splat (i32.add (local.get $start) (i32.const 4))))
        (local.set $f (i32x4.splat (i32.add (local.get $start) (i32.const 5))))
        (local.set $g (i32x4.splat (i32.add (local.get $start) (i32.const 6))))
        (local.set $i (i32x4.splat (i32.add (local.get $start) (i32.const 7))))
        (loop $row
          (local.set $a (i32x4.mul (v128.xor (local.get $a) (v128.load (local.get $at))) (local.get $m)))
          (local.set $b (i32x4.mul (v128.xor (local.get $b) (v128.load offset=16 (local.get $at))) (local.get $m)))
          (local.set $c (i32x4.mul (v128.xor (local.get $c) (v128.load offset=32 (local.get $at))) (local.get $m)))
          (local.set $d (i32x4.mul (v128.xor (local.get $d) (v128.load offset=48 (local.get $at))) (local.get $m)))
          (local.set $e (i32x4.mul (v128.xor (local.get $e) (v128.load offset=64 (local.get $at))) (local.get $m)))
          (local.set $f (i32x4.mul (v128.xor (local.get $f) (v128.load offset=80 (local.get $at))) (local.get $m)))
          (local.set $g (i32x4.mul (v128.xor (local.get $g) (v128.load offset=96 (local.get $at))) (local.get $m)))
          (local.set $i (i32x4.mul (v128.xor (local.get $i) (v128.load offset=112 (local.get $at))) (local.get $m)))
          (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
          (local.set $b (v128.xor (local.get $b) (i32x4.shr_u (local.get $b) (i32.const 15))))
          (local.set $c (v128.xor (local.get $c) (i32x4.shr_u (local.get $c) (i32.const 15))))
          (local.set $d (v128.xor (local.get $d) (i32x4.shr_u (local.get $d) (i32.const 15))))
          (local.set $e (v128.xor (local.get $e) (i32x4.shr_u (local.get $e) (i32.const 15))))
          (local.set $f (v128.xor (local.get $f) (i32x4.shr_u (local.get $f) (i32.const 15))))
          (local.set $g (v128.xor (local.get $g) (i32x4.shr_u (local.get $g) (i32.const 15))))
          (local.set $i (v128.xor (local.get $i) (i32x4.shr_u (local.get $i) (i32.const 15))))
          (local.set $at (i32.add (local.get $at) (i32.const 128)))
          (br_if $row (i32.lt_u (local.get $at) (local.get $rows_end))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $b)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $c)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $d)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $e)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $f)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $g)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $a (i32x4.mul (v128.xor (local.get $a) (local.get $i)) (local.get $m)))
        (local.set $a (v128.xor (local.get $a) (i32x4.shr_u (local.get $a) (i32.const 15))))
        (local.set $h (call $step (local.get $h) (i32x4.extract_lane 0 (local.get $a))))
        (local.set $h (call $step (local.get $h) (i32x4.extract_lane 1 (local.get $a))))
        (local.set $h (call $step (local.get $h) (i32x4.extract_lane 2 (local.get $a))))
        (local.set $h (call $step (local.get $h) (i32x4.extract_lane 3 (local.get $a))))
        ))
    (block $done
      (loop $word
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $h (call $step (local.get $h) (i32.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $word)))
    (local.get $h))

  (func $step (param $h i32) (param $word i32) (result i32)
    (local.set $h (i32.mul (i32.xor (local.get $h) (local.get $word)) (i32.const 0x9e3779b1)))
    (i32.xor (local.get $h) (i32.shr_u (local.get $h) (i32.const 15)))))
